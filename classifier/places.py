"""Place names by which two stories differ: provinces and the larger towns. Not a gazetteer; locating posts
is another's task.
"""

PLACES = frozenset(
    """
    aceh medan padang pekanbaru riau jambi palembang bengkulu lampung bangka belitung batam
    tanjungpinang jakarta banten bandung bogor depok bekasi tangerang cirebon garut tasikmalaya sukabumi
    cianjur karawang semarang surakarta solo magelang pekalongan tegal kudus demak brebes banyumas
    purwokerto cilacap klaten wonogiri yogyakarta jogja sleman bantul surabaya malang sidoarjo gresik
    madura sampang bangkalan pamekasan sumenep jember banyuwangi kediri blitar madiun ponorogo tuban
    lamongan bojonegoro probolinggo pasuruan mojokerto jombang bali denpasar lombok mataram sumbawa bima
    dompu kupang flores sumba pontianak singkawang sambas palangkaraya banjarmasin samarinda balikpapan
    kutai tarakan nunukan manado minahasa gorontalo palu poso donggala makassar gowa bone toraja
    parepare mamuju kendari buton ambon maluku ternate tidore halmahera papua jayapura merauke timika
    nabire wamena manokwari sorong fakfak mamberamo sentani biak kalimantan sulawesi sumatera sumatra
    jabar jateng jatim sumut sumbar sumsel kalbar kalteng kalsel kaltim sulut sulteng sulsel sultra ntb
    ntt nusantara ikn indonesia malaysia singapura singapore thailand vietnam filipina china cina
    tiongkok jepang korea india pakistan myanmar rohingya palestina gaza israel iran irak suriah turki
    arab mesir rusia ukraina amerika inggris perancis prancis jerman italia belanda australia
    """.split()  # noqa: SIM905 (one name a line would be four pages)
)
