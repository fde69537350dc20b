"""The two news sites: RSS, sitemaps and article pages, with the faults that real ones have.

Kabar Nusa writes UTF-8, CDATA, relative links and Jakarta time. Warta Pesisir writes Windows-1252 bytes,
calls them UTF-8, has an empty line before `<?xml`, GMT dates, and a feed full of addresses that lead
nowhere good.
"""

from __future__ import annotations

import gzip
import html
import json
import re

from demo.sites.reply import Query, Reply, page, rfc822
from demo.ugliness import FEED_TRAPS, INTERNAL_LINK, dressed
from demo.world import WIB, Article, World, utc

NAMES = {"kabarnusa": "Kabar Nusa", "wartapesisir": "Warta Pesisir"}

# Only these reach the crawler by sitemap alone: the feed holds the newest, as feeds do.
FEED_SIZE = 15


def answer(world: World, site: str, path: str, query: Query, base: str) -> Reply | None:
    """`path` is what follows `/<site>/`; None when the site has no such page."""
    articles = world.articles[site][::-1]
    if path in ("rss.xml", "feed", "feed/"):
        return _kabarnusa_feed(articles, base) if site == "kabarnusa" else _wartapesisir_feed(articles, base)
    if path == "sitemap.xml":
        return _sitemap_index(site, base)
    if path == "sitemap-berita.xml":
        return Reply(_sitemap(articles[:FEED_SIZE], site, base), "application/xml")
    if path == "sitemap-arsip.xml.gz":
        # Still gzipped, and said to be HTML.
        return Reply(gzip.compress(_sitemap(articles[FEED_SIZE:], site, base), mtime=0), "text/html; charset=utf-8")
    if path == "":
        return page(_home(articles, site, base))
    for article in articles:
        if path.strip("/") == article.path.strip("/"):
            return dressed(article, _article(article, base))
    return None


def _kabarnusa_feed(articles: list[Article], base: str) -> Reply:
    items = []
    for place, article in enumerate(articles[:FEED_SIZE]):
        # Two in three links are relative, and one guid is used twice for different stories.
        link = f"/kabarnusa/{article.path}" if place % 3 else f"{base}/kabarnusa/{article.path}"
        guid = articles[4].id if place == 5 else article.id
        date = "" if article.ugly == "no-date" else f"<pubDate>{rfc822(article.at, '+0700')}</pubDate>"
        items.append(f"""    <item>
      <title>
\t  <![CDATA[
\t  {article.title}\t  ]]>
\t  </title>
      <link>{link}</link>
      <guid isPermaLink="false">kabarnusa-{guid}</guid>
      {date}
      <category>{article.section}</category>
      <dc:creator><![CDATA[{article.author}]]></dc:creator>
      <description><![CDATA[
        <img src="/kabarnusa/media/{article.id}.jpg" width="300"> {article.body[0]} ]]></description>
    </item>""")
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>Kabar Nusa</title>
    <link>{base}/kabarnusa/</link>
    <atom:link href="{base}/kabarnusa/rss.xml" rel="self" type="application/rss+xml"/>
    <description>
          </description>
    <language>en-us</language>
{"".join(items)}
  </channel>
</rss>"""
    return Reply(text.encode(), "application/rss+xml; charset=utf-8")


def _wartapesisir_feed(articles: list[Article], base: str) -> Reply:
    items = [
        f"""<item><title>{html.escape(article.title)}</title><link>{base}/wartapesisir/{article.path}</link>
<guid>{article.canonical}</guid><pubDate>{rfc822(article.at, "GMT")}</pubDate>
<description>{html.escape(f"<p>{article.body[0]}</p>")}</description></item>"""
        for article in articles
    ]
    for trap in FEED_TRAPS:
        link = trap.link.replace("{base}", base)
        date = f"<pubDate>{trap.date}</pubDate>" if trap.date else ""
        items.insert(
            trap.place,
            f"<item><title>{trap.title}</title><link>{link}</link><guid>{trap.native_id}</guid>{date}"
            f"<description>{trap.text}</description></item>",
        )
    rows = "\n".join(items)
    text = f"""
<?xml version="1.0"?>
<rss version="2.0"><channel><title>Warta Pesisir</title><link>{base}/wartapesisir/</link>
<description>Kabar pantai utara – dari dermaga sampai balai desa</description><language>id</language>
{rows}
</channel></rss>"""
    return Reply(text.encode("cp1252", "xmlcharrefreplace"), "application/rss+xml; charset=UTF-8")


def _sitemap_index(site: str, base: str) -> Reply:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>{base}/{site}/sitemap-berita.xml</loc></sitemap>
<sitemap><loc>{base}/{site}/sitemap-arsip.xml.gz</loc></sitemap>
</sitemapindex>"""
    return Reply(text.encode(), "application/xml; charset=utf-8")


def _sitemap(articles: list[Article], site: str, base: str) -> bytes:
    rows = "\n".join(
        f"<url><loc>{base}/{site}/{article.path}</loc><lastmod>{utc(article.at).isoformat()}</lastmod>"
        f"<news:news><news:publication><news:name>{NAMES[site]}</news:name><news:language>id</news:language>"
        f"</news:publication><news:publication_date>{article.at.isoformat()}</news:publication_date>"
        f"<news:title>{html.escape(article.title)}</news:title></news:news></url>"
        for article in articles
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
{rows}
</urlset>""".encode()


def _home(articles: list[Article], site: str, base: str) -> str:
    rows = "\n".join(f'<li><a href="/{site}/{a.path}">{html.escape(a.title)}</a></li>' for a in articles)
    inside = f'<a href="{INTERNAL_LINK}" hidden>dapur</a>' if site == "kabarnusa" else ""
    return f"""<!DOCTYPE html><html lang="id"><head><meta charset="utf-8"><title>{NAMES[site]}</title>
<link rel="alternate" type="application/rss+xml" href="{base}/{site}/rss.xml"></head>
<body><ul>{rows}</ul>{inside}</body></html>"""


def _article(article: Article, base: str) -> str:
    name = NAMES[article.site]
    title = html.escape(article.title)
    paragraphs = "\n".join(f"<p>{html.escape(text, quote=False)}</p>" for text in article.body)
    dates = time = ""
    if article.ugly != "no-date":
        published = "2099-01-01T00:00:00+07:00" if article.ugly == "absurd-date" else article.at.isoformat()
        dates = f'<meta property="article:published_time" content="{published}">'
        time = f'<time datetime="{published}">{article.at.astimezone(WIB):%d/%m/%Y, %H:%M} WIB</time>'
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "mainEntityOfPage": {"@type": "WebPage", "@id": article.canonical},
        "author": [{"@type": "Person", "name": article.author}],
        "publisher": {"@type": "Organization", "name": name},
    }
    if article.ugly not in ("no-date", "absurd-date"):
        data["datePublished"] = article.at.isoformat()
    lead = html.escape(article.body[0])
    text = f"""<!DOCTYPE html>
<html lang="id"><head><meta charset="utf-8"><title>{title} | {name}</title>
<link rel="canonical" href="{article.canonical}">
<meta property="og:type" content="article"><meta property="og:title" content="{title}">
<meta property="og:url" content="{article.canonical}"><meta name="description" content="{lead}">
<meta property="article:section" content="{article.section}">
<meta name="author" content="{article.author}">{dates}
<script type="application/ld+json">{json.dumps(data)}</script>
</head><body>
<nav><a href="/{article.site}/">Beranda</a> <a href="/{article.site}/{article.path}cetak">Cetak</a>
{f'<a href="{INTERNAL_LINK}">Dapur redaksi</a>' if article.site == "kabarnusa" else ""}</nav>
<main><article><h1>{title}</h1><p class="byline">{article.author}</p>{time}
<div class="article-content">
{paragraphs}
</div></article></main>
<aside><h2>Baca juga</h2><p>Iklan: tiket kapal murah, hubungi loket.</p></aside>
<footer>{name}. Semua orang dan lembaga di sini rekaan.</footer></body></html>"""
    if article.ugly == "broken":
        # Tags left open, nested wrongly, cut in the middle of one, as an overloaded CMS sends it.
        text = re.sub(r"</(p|article|main|h1)>", "", text).replace("<aside>", "<b><i><table><td></b>")[:-31]
    return text
