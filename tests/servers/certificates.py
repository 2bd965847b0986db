"""
Throw-away certificates, made with the openssl program: an authority of our own and servers below it.

Leaves to others where they are used. Private keys are readable by all: they protect nothing.
"""
import os
import subprocess


def _openssl(*arguments):
    done = subprocess.run(("openssl",) + arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("openssl " + arguments[0] + ": " + done.stderr.strip())


class Authority:
    """An authority in `folder`; `certificate` is the file to trust."""

    def __init__(self, folder, name="mailhaul test authority"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.certificate = os.path.join(folder, "ca.pem")
        self._key = os.path.join(folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", self._key, "-out", self.certificate, "-days", "30", "-subj", "/CN=" + name,
                 "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name="localhost", alternatives="DNS:localhost,IP:127.0.0.1", days=7):
        """Makes a certificate, of a server or a client. Returns (certificate file, key file)."""
        stem = os.path.join(self.folder, name.replace("*", "_"))
        extensions = stem + ".ext"
        with open(extensions, "w", encoding="ascii") as out:
            out.write(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n"
                      "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", stem + ".key", "-out", stem + ".csr", "-subj", "/CN=" + name)
        _openssl("x509", "-req", "-in", stem + ".csr", "-CA", self.certificate, "-CAkey", self._key,
                 "-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", stem + ".pem")
        os.chmod(stem + ".key", 0o644)
        return stem + ".pem", stem + ".key"
