/*
 * Names of folders with a special use, as mail programs and servers of many languages give them: Outlook and
 * Exchange ("Sent Items"), Apple ("Sent Messages"), Gmail ("Sent Mail"), Courier, Dovecot and Zimbra ("Sent"),
 * Horde and Pine ("sent-mail"). See automap.h.
 */
#include "automap.h"

#include <string.h>

#include <mailhaul/plugin.h>

static const struct {
  uint32_t attribute;
  const char *name;
} uses[HAUL_N_USES] = {
  { HAUL_FOLDER_SENT, "\\Sent" },       { HAUL_FOLDER_DRAFTS, "\\Drafts" },
  { HAUL_FOLDER_TRASH, "\\Trash" },     { HAUL_FOLDER_JUNK, "\\Junk" },
  { HAUL_FOLDER_ARCHIVE, "\\Archive" },
};

/* A language a row, a use a column in the order of uses[]; names between bars, the likelier ones first. */
static const char *const table[][HAUL_N_USES] = {
  /* en */ { "Sent|Sent Items|Sent Messages|Sent Mail|sent-mail|Sent Email|Sent Objects",
             "Drafts|Draft|Draft Messages",
             "Trash|Deleted Items|Deleted Messages|Deleted|Bin|Deleted Objects|Wastebasket",
             "Junk|Spam|Junk E-mail|Junk Email|Junk Mail|Bulk Mail|Bulk|Junk-Email|Spambox",
             "Archive|Archives|Archived" },
  /* de */
  { "Gesendet|Gesendete Elemente|Gesendete Objekte|Gesendete Nachrichten|Gesendete E-Mails|"
    "Gesendete Mails",
    "Entwürfe|Entwurf",
    "Papierkorb|Gelöschte Elemente|Gelöschte Objekte|Gelöschte Nachrichten|Gelöscht|Müll",
    "Junk-E-Mail|Spamverdacht|Unerwünscht|Unerwünschte Werbung|Werbung|Spam-Verdacht",
    "Archiv|Archivierte Nachrichten" },
  /* fr */
  { "Envoyés|Éléments envoyés|Messages envoyés|Envoyé|Courrier envoyé|Objets envoyés",
    "Brouillons|Brouillon",
    "Corbeille|Éléments supprimés|Messages supprimés|Courrier supprimé|Poubelle",
    "Courrier indésirable|Indésirables|Indésirable|Pourriel|Courriels indésirables",
    "Archivés|Messages archivés" },
  /* es */
  { "Enviados|Elementos enviados|Mensajes enviados|Correo enviado|Enviado", "Borradores|Borrador",
    "Papelera|Elementos eliminados|Mensajes eliminados|Eliminados",
    "Correo no deseado|Correo basura|No deseado", "Archivo|Archivados|Archivo de correo" },
  /* pt */
  { "Itens enviados|Mensagens enviadas|E-mails enviados|Enviadas|Correio enviado",
    "Rascunhos|Rascunho",
    "Lixeira|Itens excluídos|Itens eliminados|Lixo|Mensagens eliminadas|Reciclagem",
    "Lixo eletrônico|Lixo eletrónico|Lixo electrónico|Correio publicitário não solicitado",
    "Arquivo|Arquivo morto|Arquivados|Arquivadas" },
  /* it */
  { "Inviati|Posta inviata|Inviata|Elementi inviati|Messaggi inviati", "Bozze|Bozza",
    "Cestino|Posta eliminata|Elementi eliminati|Messaggi eliminati|Eliminati",
    "Posta indesiderata|Indesiderata|Posta indesiderata e spam", "Archivio|Archiviati" },
  /* nl */
  { "Verzonden|Verzonden items|Verzonden berichten|Verzonden objecten|Verstuurd",
    "Concepten|Concept",
    "Prullenbak|Verwijderde items|Verwijderde berichten|Verwijderd|Prullenmand",
    "Ongewenste e-mail|Ongewenst|Ongewenste reclame|Ongewenste post", "Archief" },
  /* da */
  { "Sendt|Sendt post|Sendte elementer|Sendte beskeder|Sendte mails", "Kladder|Kladde|Udkast",
    "Papirkurv|Slettet post|Slettet|Slettede elementer|Slettede beskeder",
    "Uønsket e-mail|Uønsket mail|Uønsket post|Uønsket", "Arkiv|Arkiveret" },
  /* no */
  { "Sendte objekter|Sendte meldinger|Sendt e-post", "Utkast",
    "Papirkurven|Slettede objekter|Slettede meldinger|Søppelbøtte",
    "Søppelpost|Uønsket e-post|Useriøs e-post", "Arkivert" },
  /* sv */
  { "Skickat|Skickade objekt|Skickade meddelanden|Skickade|Skickad e-post", "Utkasten",
    "Papperskorgen|Borttaget|Borttagna objekt|Borttagna meddelanden|Papperskorg", "Skräppost|Skräp",
    "Arkiverat" },
  /* fi */
  { "Lähetetyt|Lähetetyt viestit|Lähetetyt kohteet|Lähetetyt sähköpostit", "Luonnokset",
    "Roskakori|Poistetut|Poistetut viestit|Poistetut kohteet", "Roskaposti|Roskapostit",
    "Arkisto|Arkistoidut" },
  /* pl */
  { "Wysłane|Elementy wysłane|Wysłane wiadomości|Wysłana poczta",
    "Kopie robocze|Wersje robocze|Szkice|Robocze",
    "Kosz|Elementy usunięte|Usunięte|Usunięte wiadomości", "Wiadomości-śmieci|Niechciane|Śmieci",
    "Archiwum|Zarchiwizowane" },
  /* cs */
  { "Odeslané|Odeslaná pošta|Odeslané položky|Odeslané zprávy", "Koncepty|Rozepsané",
    "Koš|Odstraněná pošta|Odstraněné položky|Odstraněné|Smazané zprávy",
    "Nevyžádaná pošta|Nevyžádané|Hromadná pošta", "Archív" },
  /* sk */
  { "Odoslané|Odoslaná pošta|Odoslané položky|Odoslané správy", "Rozpísané",
    "Kôš|Odstránená pošta|Odstránené položky|Odstránené|Zmazané správy",
    "Nevyžiadaná pošta|Nevyžiadané", "Archív správ" },
  /* hu */
  { "Elküldött|Elküldött elemek|Elküldött üzenetek|Elküldött levelek", "Piszkozatok|Vázlatok",
    "Kuka|Törölt elemek|Törölt üzenetek|Lomtár|Törölt", "Levélszemét|Kéretlen levelek|Szemét",
    "Archívum|Archivált" },
  /* ro */
  { "Trimise|Elemente trimise|Mesaje trimise|E-mailuri trimise", "Schițe|Ciorne",
    "Coș de gunoi|Elemente șterse|Mesaje șterse|Șterse|Gunoi",
    "Mesaje nedorite|E-mail nedorit|Nedorite", "Arhivă|Arhiva" },
  /* bg */
  { "Изпратени|Изпратени елементи|Изпратена поща|Изпратени писма", "Чернови",
    "Кошче|Изтрити|Изтрити елементи|Изтрити писма", "Нежелана поща|Спам|Нежелани", "Архив" },
  /* ru */
  { "Отправленные|Отправленное|Отправленные письма|Отправленные сообщения", "Черновики",
    "Корзина|Удаленные|Удалённые|Удаленные элементы|Удалённые письма",
    "Нежелательная почта|Нежелательные|Рассылки и спам", "Архивы|Архивные" },
  /* uk */
  { "Надіслані|Відправлені|Надіслане|Надіслані елементи", "Чернетки",
    "Кошик|Видалені|Видалені елементи|Смітник", "Небажана пошта|Небажані", "Архів" },
  /* el */
  { "Απεσταλμένα|Σταλμένα|Απεσταλμένα μηνύματα", "Πρόχειρα|Προσχέδια",
    "Κάδος|Κάδος απορριμμάτων|Διαγραμμένα|Διαγραμμένα στοιχεία|Απορρίμματα",
    "Ανεπιθύμητα|Ανεπιθύμητη αλληλογραφία", "Αρχείο|Αρχειοθήκη" },
  /* tr */
  { "Gönderilmiş Öğeler|Gönderilenler|Gönderilen|Gönderilmiş Postalar|Gönderilmiş",
    "Taslaklar|Taslak", "Çöp Kutusu|Silinmiş Öğeler|Silinmiş|Çöp|Silinenler",
    "Önemsiz|Önemsiz E-posta|Gereksiz|İstenmeyen", "Arşiv" },
  /* hr */
  { "Poslano|Poslane stavke|Poslane poruke|Poslana pošta", "Skice|Nacrti",
    "Smeće|Izbrisane stavke|Otpad|Izbrisano", "Neželjena pošta|Bezvrijedna pošta", "Arhiva pošte" },
  /* sl */
  { "Poslani elementi|Poslana sporočila", "Osnutki", "Izbrisano|Izbrisani elementi|Smeti",
    "Neželena pošta|Vsiljena pošta", "Arhiv" },
  /* sr */
  { "Послато|Poslato|Послате ставке|Poslate stavke", "Нацрти|Недовршено|Nedovršeno",
    "Отпад|Смеће|Избрисане ставке", "Нежељена пошта|Непожељно", "Архива" },
  /* et */
  { "Saadetud|Saadetud üksused|Saadetud kirjad", "Mustandid",
    "Prügikast|Prügi|Kustutatud|Kustutatud üksused", "Rämpspost|Rämps", "Arhiivi|Arhiiv" },
  /* lv */
  { "Nosūtītie|Nosūtītie vienumi|Nosūtītie ziņojumi|Nosūtītās", "Melnraksti",
    "Miskaste|Atkritne|Dzēstie vienumi|Dzēstie", "Mēstules|Nevēlamais e-pasts", "Arhīvs" },
  /* lt */
  { "Išsiųsta|Išsiųsti|Išsiųsti laiškai|Išsiųsti elementai", "Juodraščiai",
    "Šiukšlinė|Šiukšliadėžė|Panaikinti elementai|Ištrinta",
    "Brukalas|Šlamštas|Nepageidaujami laiškai", "Archyvas" },
  /* ca */
  { "Enviats|Elements enviats|Missatges enviats|Correu enviat", "Esborranys|Esborrany",
    "Paperera|Elements suprimits|Elements eliminats", "Correu brossa|Brossa", "Arxiu|Arxivats" },
  /* eu */
  { "Bidalita|Bidalitakoak|Bidalitako elementuak|Bidalitako mezuak", "Zirriborroak",
    "Zakarrontzia|Ezabatutako elementuak", "Zabor-posta|Zaborra|Spama", "Artxiboa" },
  /* is */
  { "Sendur póstur|Send atriði|Send skeyti", "Uppköst|Drög", "Rusl|Eytt atriði|Ruslafata",
    "Ruslpóstur", "Safn" },
  /* ja */
  { "送信済み|送信済みアイテム|送信済みメール|送信済みトレイ|送信済みメッセージ", "下書き",
    "ゴミ箱|ごみ箱|削除済みアイテム|削除済みメール|削除済みメッセージ", "迷惑メール|スパム",
    "アーカイブ" },
  /* zh */
  { "已发送|已发送邮件|已发邮件|已发送的邮件|已傳送的郵件|寄件備份|已傳送郵件|寄件備份匣",
    "草稿|草稿箱|草稿匣|草稿夹", "已删除|已删除邮件|废件箱|已刪除的郵件|刪除的郵件|垃圾桶",
    "垃圾邮件|垃圾郵件|广告邮件", "归档|存档|封存|封存郵件|存檔" },
  /* ko */
  { "보낸 편지함|보낸편지함|보낸 메일함|보낸메일함|보낸 항목", "임시 보관함|임시보관함|초안",
    "휴지통|지운 편지함|삭제된 항목|지운편지함", "스팸함|스팸 메일함|스팸메일함|정크 메일|스팸",
    "보관함|보관" },
  /* he */
  { "נשלחו|פריטים שנשלחו|דואר שנשלח", "טיוטות", "אשפה|פריטים שנמחקו", "דואר זבל|זבל", "ארכיון" },
  /* ar */
  { "المرسلة|العناصر المرسلة|البريد المرسل|الرسائل المرسلة|المرسل", "المسودات|مسودات",
    "المهملات|العناصر المحذوفة|سلة المهملات", "البريد غير الهام|البريد المزعج", "الأرشيف|أرشيف" },
  /* vi */
  { "Thư đã gửi|Đã gửi|Mục đã gửi", "Thư nháp|Bản nháp", "Thùng rác|Mục đã xóa|Thư đã xóa",
    "Thư rác", "Lưu trữ" },
  /* th */
  { "ส่งแล้ว|จดหมายที่ส่งแล้ว|รายการที่ถูกส่ง", "ร่างจดหมาย|แบบร่าง", "ถังขยะ|รายการที่ถูกลบ",
    "จดหมายขยะ|สแปม|อีเมลขยะ", "ที่เก็บถาวร" },
  /* id */
  { "Terkirim|Item Terkirim|Surat Terkirim|Pesan Terkirim", "Konsep|Draf",
    "Sampah|Item Dihapus|Tong Sampah", "Email Sampah|Surel Sampah", "Arsip" },
};

/* In what such folders lie at the root of Gmail, whatever its language, and of servers that have all in INBOX. */
static const char *const roots[] = { "[Gmail]/", "[Google Mail]/", "INBOX/" };

uint32_t
haul_use_attribute(unsigned number)
{
  return uses[number].attribute;
}

const char *
haul_use_name(unsigned number)
{
  return uses[number].name;
}

char *
haul_name_fold(const char *name)
{
  g_autofree char *valid = g_utf8_make_valid(name, -1);
  g_autofree char *plain = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL_COMPOSE);
  g_autofree char *folded = g_utf8_casefold(plain, -1);
  g_autofree char *again = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL_COMPOSE);
  GString *out = g_string_new(NULL);
  for (const char *at = again; *at != '\0'; at++)
    if (*at != ' ' || (out->len > 0 && out->str[out->len - 1] != ' '))
      g_string_append_c(out, *at);
  if (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate(out, out->len - 1);
  return g_string_free(out, FALSE);
}

/* What a name tells, as a number that is not 0: column and rank. */
static GHashTable *
make_index(void)
{
  GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  unsigned rank = 0;
  for (size_t row = 0; row < G_N_ELEMENTS(table); row++)
    for (unsigned use = 0; use < HAUL_N_USES; use++) {
      g_auto(GStrv) names = g_strsplit(table[row][use], "|", -1);
      for (unsigned i = 0; names[i] != NULL; i++, rank++) {
        char *folded = haul_name_fold(names[i]);
        if (g_hash_table_contains(index, folded))
          g_free(folded);
        else
          g_hash_table_insert(index, folded, GUINT_TO_POINTER(1 + use + rank * HAUL_N_USES));
      }
    }
  return index;
}

bool
haul_use_by_name(const char *path, unsigned *number, unsigned *rank)
{
  static GHashTable *index;
  static gsize is_made;
  for (size_t i = 0; i < G_N_ELEMENTS(roots); i++)
    if (g_ascii_strncasecmp(path, roots[i], strlen(roots[i])) == 0) {
      path += strlen(roots[i]);
      break;
    }
  if (strchr(path, '/') != NULL)
    return false;
  if (g_once_init_enter(&is_made)) {
    index = make_index();
    g_once_init_leave(&is_made, 1);
  }
  g_autofree char *folded = haul_name_fold(path);
  guint found = GPOINTER_TO_UINT(g_hash_table_lookup(index, folded));
  if (found == 0)
    return false;
  *number = (found - 1) % HAUL_N_USES;
  *rank = (found - 1) / HAUL_N_USES;
  return true;
}
