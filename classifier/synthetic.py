"""Training texts made from patterns of our own (`data/patterns.csv`): what is said of a group decides, not which group it is.

No public set says plain hateful things of groups in plain words, or defends them in the same words, so a model taught by tweets alone
reads "orang X itu hama" as harmless and "orang X bukan hama" as the same. Each pattern is filled with every kind of group, so that a
label hangs on what is said. **For training only**: a text made so is never evaluation (it would test the patterns).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from .tables import OURS, rows

# Slot -> what may stand in it. Groups name their targets: the ground of the hate, beside `group`.
GROUPS: dict[str, tuple[str, ...]] = {
    "ethnicity": (
        "orang Jawa", "orang Sunda", "orang Batak", "orang Betawi", "orang Minang", "orang Padang", "orang Madura",
        "orang Bugis", "orang Makassar", "orang Ambon", "orang Papua", "orang Aceh", "orang Manado", "orang Minahasa",
        "orang Dayak", "orang Banjar", "orang Melayu", "orang Bali", "orang Sasak", "orang Flores", "orang Timor",
        "orang Nias", "orang Toraja", "orang Tionghoa", "orang Cina", "keturunan Arab", "orang Arab", "orang India",
        "orang bule", "orang Barat", "orang Yahudi", "pengungsi Rohingya", "orang kulit hitam", "suku Sunda", "suku Dayak",
    ),
    "religion": (
        "orang Islam", "umat Islam", "orang Muslim", "orang Kristen", "umat Kristen", "orang Katolik", "umat Katolik",
        "orang Hindu", "umat Hindu", "orang Buddha", "orang Buddhis", "orang Konghucu", "jemaat Ahmadiyah", "orang Syiah",
        "orang ateis", "kaum ateis", "penghayat kepercayaan", "ustaz-ustaz itu", "para pendeta", "orang kejawen",
    ),
    "gender": (
        "perempuan", "wanita", "cewek", "cewek-cewek", "kaum perempuan", "ibu-ibu", "janda", "laki-laki", "cowok",
        "kaum pria", "orang gay", "kaum homo", "lesbian", "waria", "transpuan", "orang LGBT", "kaum LGBT", "biseksual",
    ),
    "body": (
        "orang difabel", "penyandang disabilitas", "orang berkebutuhan khusus", "orang tuli", "orang buta", "orang bisu",
        "anak autis", "orang gemuk", "orang cacat", "pengidap HIV", "orang pendek", "orang yang pakai kursi roda",
    ),
    "other": (
        "orang tua", "lansia", "kakek-nenek", "anak muda zaman sekarang", "anak kecil", "remaja", "orang miskin", "pendatang",
        "perantau", "orang desa", "orang kampung", "buruh", "pengemis", "pengungsi", "pendukung sebelah", "pendukung nomor satu",
        "pendukung nomor dua", "relawan paslon tiga", "orang kota", "tukang ojek", "pedagang kaki lima",
    ),
}  # fmt: skip
# How a member is called who "is" the group: "tetangga saya yang {Y}".
_MEMBER_OF = ("orang ", "umat ", "kaum ", "suku ", "jemaat ", "para ")
OTHER_SLOTS: dict[str, tuple[str, ...]] = {
    "B": (
        "HP", "laptop", "motor", "sinyal", "aplikasi", "nyamuk", "tikus", "kecoa", "rayap", "virus itu", "AC kamar", "printer",
        "jalan berlubang", "kabel ini", "gulma", "kutu beras", "rem cakram", "film itu", "lagu itu", "kipas angin", "paket internet",
    ),
    "L": (
        "KPU", "Bawaslu", "DPRD", "dewan", "bupati", "wali kota", "gubernur", "pemerintah", "menteri", "presiden", "partai itu",
        "polisi", "camat", "kepala desa", "dinas pendidikan", "paslon nomor satu", "paslon nomor dua", "calon petahana",
        "cawagub itu", "timses sebelah", "Pak Wali", "Bu Bupati", "koalisi gemuk itu", "rezim ini",
    ),
    "C": (
        "paslon nomor satu", "paslon nomor dua", "paslon tiga", "Pak Wirangga", "Bu Salmah", "Mas Tejo", "pasangan Arka-Lintang",
        "calon petahana", "Bu Calon", "gubernur kita", "Kang Dirja", "Bang Rusli", "pak Darsim", "bu Renata", "Cak Luth",
        "Gus Wafi", "Daeng Rewa", "Wirangga", "Salmah",
    ),
    "P": (
        "Partai Lentera Rakyat", "Partai Sawah Makmur", "Partai Tunas Bahari", "Partai Jembatan Kita", "Lentera", "partai jembatan",
        "partai itu", "partai sebelah", "partai penguasa",
    ),
    "D": (
        "Garut", "Bima", "Sleman", "Lebak", "Jember", "Sampang", "Banyumas", "Padang", "Medan", "Makassar", "Ambon", "Kupang",
        "Pontianak", "Palu", "Manado", "Cianjur", "kabupaten sebelah", "kota kita",
    ),
    "T": (
        "kantor KPU", "gudang logistik", "posko sebelah", "kantor Bawaslu", "TPS 12", "TPS di kampung sebelah", "kantor camat",
        "kantor kecamatan", "balai desa", "rumah ketua KPPS", "kantor bupati", "gedung DPRD", "polsek", "rumah calon itu",
        "kantor partai", "kantor KPU Garut", "gudang kotak suara di Bima", "posko relawan", "sekretariat PPK",
    ),
    "O": (
        "saksi lawan", "petugas KPPS", "komisioner KPU", "ketua panwas", "pendukung sebelah", "timses lawan", "anggota Bawaslu",
        "saksi paslon dua", "polisi yang jaga", "relawan nomor satu", "wartawan itu", "lurah pengkhianat itu", "petugas PPK",
        "penjaga gudang", "warga RW sebelah",
    ),
    "W": (
        "nanti malam", "malam ini", "besok pagi", "jam 2 dini hari", "hari Rabu", "tanggal 27", "pas pencoblosan", "sebelum subuh",
        "habis magrib", "lusa", "minggu tenang", "pas rekapitulasi", "sekarang juga", "sore ini",
    ),
}  # fmt: skip
# The same openings and ends for every label, so that none of them tells anything.
_OPENINGS = (
    "", "", "", "", "", "", "Jujur aja, ", "Menurut saya, ", "Gue rasa ", "Sumpah ya, ", "Emang bener, ", "Dari dulu ", "@user ",
    "@user @user ", "Kata orang rumah, ", "Heran deh, ", "Hari ini aku sadar, ", "Bro, ", "RT @user ", "Ya Allah, ", "Nih ya, ",
)  # fmt: skip
_ENDS = (
    "",
    "",
    "",
    "",
    ".",
    ".",
    "!",
    "!!",
    " sih",
    " deh",
    " ya",
    " wkwk",
    " 😤",
    " 🙏",
    " [url]",
    " #pilkada",
    " bro",
    " kok",
    "...",
)
_SPELLINGS = (
    ("tidak", "gak"), ("tidak", "tdk"), ("nggak", "ga"), ("nggak", "tidak"), ("yang", "yg"), ("dengan", "dgn"), ("saja", "aja"),
    ("saya", "gue"), ("saya", "gw"), ("gue", "aku"), ("gue", "saya"), ("orang", "org"), ("sudah", "udah"), ("sampai", "sampe"),
    ("kalau", "kalo"), ("kayak", "seperti"), ("seperti", "kyk"), ("itu", "tuh"), ("banget", "bgt"), ("karena", "krn"),
    ("jangan", "jgn"), ("kita", "kita2"), ("mereka", "mrk"), ("semua", "smua"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    text: str
    labels: tuple[str, ...]  # those that are 1; the others are 0
    targets: tuple[str, ...]


def made(each: int, seed: int) -> Iterator[Made]:
    """Yield `each` texts a pattern, the same for the same seed; hateful ones name their targets."""
    chance = random.Random(seed)  # noqa: S311 (training texts, not a secret)
    for row in rows(OURS / "patterns.csv"):
        for _ in range(each):
            ground = chance.choice(tuple(GROUPS))
            text, grounded = _filled(row["pattern"], ground, chance), "{G}" in row["pattern"] or "{Y}" in row["pattern"]
            labels = tuple(filter(None, row["label"].split("+")))
            yield Made(_spoken(text, chance), labels, (ground, "group") if "hate" in labels and grounded else ())


def _filled(pattern: str, ground: str, chance: random.Random) -> str:
    group = chance.choice(GROUPS[ground])
    member = next((group[len(start) :] for start in _MEMBER_OF if group.startswith(start)), group)
    filled = pattern.replace("{G}", group).replace("{Y}", member)
    for slot, words in OTHER_SLOTS.items():
        if "{" + slot + "}" in filled:
            filled = filled.replace("{" + slot + "}", chance.choice(words))
    return filled


def _spoken(text: str, chance: random.Random) -> str:
    opening = chance.choice(_OPENINGS)
    if text.startswith("@user"):
        opening = ""  # A reply has whom it answers first.
    text = opening + (text if opening in ("", "@user ", "@user @user ", "RT @user ") else text[0].lower() + text[1:])
    text = text[0].upper() + text[1:] if chance.random() < 0.5 else text.lower()
    for formal, slang in chance.sample(_SPELLINGS, 6):
        if chance.random() < 0.5:
            text = text.replace(f" {formal} ", f" {slang} ")
    text += chance.choice(_ENDS)
    return text.upper() if chance.random() < 0.03 else text
