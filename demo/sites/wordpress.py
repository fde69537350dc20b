"""The fact-check site: WordPress with its REST API, feed, sitemap, and ClaimReview in every article."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

from demo.sites.reply import Query, Reply, as_json, number_of, page, rfc822
from demo.world import WIB, Article, World, utc

PREFIX = "/cekfakta/"
NAME = "Cek Fakta Warga"


def answer(world: World, path: str, query: Query, base: str) -> Reply | None:
    """`path` is what follows `/cekfakta/`; None when the site has no such page."""
    articles = world.articles["cekfakta"][::-1]
    route = path.strip("/")
    if route in ("wp-json/wp/v2/posts", "wp-json/wp/v2/posts/"):
        return _posts(articles, query, base)
    if match := re.fullmatch(r"wp-json/wp/v2/posts/(\d+)", route):
        found = [article for article in articles if article.id == int(match[1])]
        if not found:
            return as_json(_error("rest_post_invalid_id", "ID pos tidak valid.", 404), status=404)
        return as_json(_post(found[0], base))
    if route == "feed":
        return _feed(articles, base)
    if route in ("sitemap.xml", "wp-sitemap.xml", "post-sitemap.xml"):
        return _sitemap(articles, base)
    if route == "":
        return _home(articles, base)
    for place, article in enumerate(articles):
        if route == article.path.strip("/"):
            return page(_article(article, place, base))
    return None


def _posts(articles: list[Article], query: Query, base: str) -> Reply:
    per_page = number_of(query, "per_page", 10)
    number = number_of(query, "page", 1)
    if not 1 <= per_page <= 100:
        return as_json(_error("rest_invalid_param", "Parameter tidak valid: per_page", 400), status=400)
    if after := query.get("after", [""])[0]:
        articles = [a for a in articles if a.at.astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S") > after]
    pages = max(1, -(-len(articles) // per_page))
    if not 1 <= number <= pages:
        message = "Nomor halaman yang diminta lebih besar dari jumlah halaman yang tersedia."
        return as_json(_error("rest_post_invalid_page_number", message, 400), status=400)
    chosen = articles[(number - 1) * per_page : number * per_page]
    here = f"{base}{PREFIX}wp-json/wp/v2/posts?per_page={per_page}&page="
    links = []
    if number > 1:
        links.append(f'<{here}{number - 1}>; rel="prev"')
    if number < pages:
        links.append(f'<{here}{number + 1}>; rel="next"')
    headers = {"X-WP-Total": str(len(articles)), "X-WP-TotalPages": str(pages)}
    if links:
        headers["Link"] = ", ".join(links)
    return as_json([_post(article, base) for article in chosen], headers)


def _error(code: str, message: str, status: int) -> dict[str, Any]:
    return {"code": code, "message": message, "data": {"status": status}}


def _post(article: Article, base: str) -> dict[str, Any]:
    local = article.at.astimezone(WIB)
    # WordPress keeps when a draft was last saved: a post scheduled for later is "modified" before it is
    # published.
    modified = article.at + timedelta(minutes=-25 if article.id % 3 == 0 else 40)
    stamp = "%Y-%m-%dT%H:%M:%S"
    return {
        "id": article.id,
        "date": local.strftime(stamp),
        "date_gmt": utc(article.at).strftime(stamp),
        "guid": {"rendered": f"https://cekfakta.example/?p={article.id}"},
        "modified": modified.astimezone(WIB).strftime(stamp),
        "modified_gmt": utc(modified).strftime(stamp),
        "slug": article.path.strip("/").rsplit("/", 1)[-1],
        "status": "publish",
        "type": "post",
        "link": f"{base}{PREFIX}{article.path}",
        "title": {"rendered": _texturised(article.title)},
        "content": {"rendered": _content(article), "protected": False},
        "excerpt": {
            "rendered": f"<p>{_texturised(article.body[0][:140])} [&hellip;]</p>\n",
            "protected": False,
        },
        "author": 3,
        "featured_media": 0,
        "comment_status": "closed",
        "sticky": False,
        "format": "standard",
        "meta": [],
        "categories": [12],
        "tags": [],
        "yoast_head_json": {"canonical": article.canonical, "og_site_name": NAME},
    }


def _texturised(text: str) -> str:
    """Curly quotes and dashes as entities, as `wptexturize` leaves them in rendered fields."""
    text = re.sub(r'"([^"]*)"', r"&#8220;\1&#8221;", text)
    return text.replace(" & ", " &#038; ").replace("'", "&#8217;").replace(" - ", " &#8211; ")


def _content(article: Article) -> str:
    paragraphs = [f"<p>{_texturised(text)}</p>" for text in article.body]
    quoted = f"<p><strong>Klaim:</strong> {html.escape(article.claim)}</p>"
    claim = f'<blockquote class="wp-block-quote">{quoted}</blockquote>'
    return "\n" + "\n\n\n\n".join([paragraphs[0], claim, *paragraphs[1:]]) + "\n"


def _review(article: Article, place: int) -> dict[str, Any]:
    """ClaimReview as publishers really fill it: the rating value is empty, -1, null or absent; lists
    where one is meant."""
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": article.rating, "bestRating": "5"}
    if (value := ["", "-1", None, 1][place % 4]) != 1:
        rating["ratingValue"] = value
    local = article.at.astimezone(WIB)
    item: Any = {"@type": "Claim", "datePublished": local.strftime("%Y-%m-%d"), "appearance": []}
    if place % 3 == 1:
        item = [item]
    author: Any = {"@type": "Organization", "name": NAME, "url": "https://cekfakta.example/"}
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        # Some editors type the address without its scheme, and dates with a blank for the T.
        "url": article.canonical.removeprefix("https://") if place % 5 == 2 else article.canonical,
        "datePublished": local.strftime("%Y-%m-%d %H:%M:%S") if place % 3 == 0 else article.at.isoformat(),
        "claimReviewed": html.escape(article.claim) if place % 4 == 1 else article.claim,
        "author": [author] if place % 2 else author,
        "itemReviewed": item,
        "reviewRating": rating,
    }


def _blocks(article: Article, place: int) -> str:
    """The page's JSON-LD: in a graph, in a list, last of several blocks, or with a raw line break inside
    a string."""
    review = _review(article, place)
    site = {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": NAME,
        "url": "https://cekfakta.example/",
    }
    news = {"@type": "NewsArticle", "headline": article.title, "mainEntityOfPage": article.canonical}
    way = place % 4
    if way == 0:
        blocks = [json.dumps({"@context": "https://schema.org", "@graph": [site, news, review]}, ensure_ascii=False)]
    elif way == 1:
        blocks = [json.dumps([news, review], ensure_ascii=False)]
    elif way == 2:
        blocks = [
            json.dumps(site),
            '{"@context": "https://schema.org", "@type": "BreadcrumbList",}',
            json.dumps(review),
        ]
    else:
        text = json.dumps(review, ensure_ascii=False, indent=1)
        blocks = [json.dumps(site), text.replace(article.rating, article.rating.replace(" ", "\n", 1), 1)]
    return "\n".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)


def _article(article: Article, place: int, base: str) -> str:
    title = html.escape(article.title)
    return f"""<!DOCTYPE html>
<html lang="id-ID"><head><meta charset="UTF-8"><title>{title} &#8211; {NAME}</title>
<link rel="canonical" href="{article.canonical}">
<link rel="alternate" type="application/rss+xml" href="{base}{PREFIX}feed/">
<meta property="og:title" content="{title}"><meta property="og:url" content="{article.canonical}">
<meta property="article:published_time" content="{article.at.isoformat()}">
{_blocks(article, place)}
</head><body class="post-template-default single"><header><a href="{base}{PREFIX}">{NAME}</a></header>
<article id="post-{article.id}"><h1 class="entry-title">{title}</h1>
<time class="entry-date" datetime="{article.at.isoformat()}">
{article.at.astimezone(WIB):%d/%m/%Y %H.%M} WIB</time>
<div class="entry-content">{_content(article)}</div></article>
<footer>Hak cipta warga. Semua orang dan lembaga di sini rekaan.</footer></body></html>"""


def _home(articles: list[Article], base: str) -> Reply:
    rows = "\n".join(
        f'<li><a href="{base}{PREFIX}{article.path}">{html.escape(article.title)}</a></li>' for article in articles
    )
    return page(f'<!DOCTYPE html><html lang="id"><title>{NAME}</title><h1>{NAME}</h1><ul>{rows}</ul></html>')


def _feed(articles: list[Article], base: str) -> Reply:
    items = "\n".join(
        f"""<item><title>{html.escape(article.title)}</title><link>{base}{PREFIX}{article.path}</link>
<guid isPermaLink="false">https://cekfakta.example/?p={article.id}</guid>
<pubDate>{rfc822(article.at, "GMT")}</pubDate>
<description><![CDATA[<p>{_texturised(article.body[0])}</p>]]></description></item>"""
        for article in articles[:10]
    )
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>{NAME}</title>
<link>{base}{PREFIX}</link><description>Periksa dulu</description><language>id-ID</language>
{items}
</channel></rss>"""
    return Reply(text.encode(), "application/rss+xml; charset=UTF-8")


def _sitemap(articles: list[Article], base: str) -> Reply:
    rows = "".join(
        f"<url><loc>{base}{PREFIX}{article.path}</loc><lastmod>{utc(article.at).isoformat()}</lastmod></url>\n"
        for article in articles
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>'
    return Reply(text.encode(), "application/xml; charset=UTF-8")
