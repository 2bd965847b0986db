/* The program: everything is in the library. */

int haul_main(int argc, char **argv);

int
main(int argc, char **argv)
{
  return haul_main(argc, argv);
}
