"""Each platform over HTTP: everything back to where the last visit began, nothing twice, and no visit in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from . import shapes
from .fakes import Answer, Site

Crawl = Callable[..., Any]


def source(site: Site, kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"id": f"uji-{kind}", "kind": kind, "url": site.base + path, **more}


def paths(site: Site, since: int = 0) -> list[str]:
    return [path for path, _ in site.asked[since:] if path != "/robots.txt"]


def texts(result: Any) -> list[str]:
    return [post.text for post in result.posts]


# ---------------------------------------------------------------- telegram


def test_a_channel_is_read_back_to_its_first_post_and_later_only_what_is_new(crawl: Crawl) -> None:
    with Site() as site:
        site.answers |= {
            "/s/kabarkota": shapes.telegram("kabarkota", (25, "Lima"), (27, "Tujuh"), before=25),
            "/s/kabarkota?before=25": shapes.telegram("kabarkota", (12, "Dua"), (13, "Tiga"), before=12),
            "/s/kabarkota?before=12": shapes.telegram("kabarkota", (1, "Satu")),
        }
        first = crawl(site, [source(site, "telegram", "/kabarkota", region=["33.74", "33.72"])])
        asked = len(site.asked)
        site.answers |= {
            "/s/kabarkota": shapes.telegram("kabarkota", (27, "Tujuh"), (28, "Delapan"), before=27),
            "/s/kabarkota?before=27": shapes.telegram("kabarkota", (13, "Tiga"), (25, "Lima, disunting"), before=13),
        }
        second = crawl(site, [source(site, "telegram", "/kabarkota")])
    assert [(p.platform, p.native_id, p.text) for p in first.posts] == [
        ("telegram", "kabarkota/25", "Lima"),
        ("telegram", "kabarkota/27", "Tujuh"),
        ("telegram", "kabarkota/12", "Dua"),
        ("telegram", "kabarkota/13", "Tiga"),
        ("telegram", "kabarkota/1", "Satu"),
    ]
    post = first.posts[0]
    assert post.published_at.isoformat() == "2025-11-20T01:25:00+00:00"
    assert (post.url, post.counts, post.region) == ("https://t.me/kabarkota/25", {"views": 1200}, "33")
    assert post.author.startswith("a_")
    assert post.evidence is not None
    assert "kabarkota" not in post.author
    assert texts(second) == ["Delapan"]
    # The newest page reaches back to the last visit: nothing older is asked for.
    assert paths(site, asked) == ["/s/kabarkota"]


def test_a_visit_that_broke_off_is_made_up_for(crawl: Crawl) -> None:
    with Site() as site:
        site.answers |= {
            "/s/k1k": shapes.telegram("k1k", (30, "Baru"), before=30),
            "/s/k1k?before=30": Answer(status=503),
        }
        first = crawl(site, [source(site, "telegram", "/s/k1k")])
        site.answers["/s/k1k?before=30"] = shapes.telegram("k1k", (9, "Lama"))
        second = crawl(site, [source(site, "telegram", "/s/k1k")])
    assert (texts(first), texts(second)) == (["Baru"], ["Lama"])
    assert [gap.ended_at is None for gap in first.gaps] == [True]
    assert [gap.ended_at is None for gap in second.gaps] == [False]


def test_more_news_than_a_visit_may_take_is_a_gap(crawl: Crawl) -> None:
    with Site() as site:
        site.answers["/s/ramai"] = shapes.telegram("ramai", (1, "Awal"))
        crawl(site, [source(site, "telegram", "/s/ramai")])
        site.answers["/s/ramai"] = shapes.telegram("ramai", (90, "Sembilan puluh"), before=90)
        site.answers["/s/ramai?before=90"] = shapes.telegram("ramai", (50, "Lima puluh"), before=50)
        second = crawl(site, [source(site, "telegram", "/s/ramai", max_pages=2)])
    assert texts(second) == ["Sembilan puluh", "Lima puluh"]
    (gap,) = second.gaps
    assert gap.cause.startswith("more than 2 pages of new posts")


def test_a_channel_that_is_none_is_one_gap_until_it_is_there(crawl: Crawl) -> None:
    with Site({"/s/hilang": shapes.telegram_nobody("hilang")}) as site:
        first = crawl(site, [source(site, "telegram", "/s/hilang")])
        still = crawl(site, [source(site, "telegram", "/s/hilang")])
        site.answers["/s/hilang"] = shapes.telegram("hilang", (1, "Halo"))
        back = crawl(site, [source(site, "telegram", "/s/hilang")])
    (gap,), (same,), (ended,) = first.gaps, still.gaps, back.gaps
    assert gap.cause.startswith("no such channel, or not a public one: ")
    assert gap.id == same.id == ended.id
    assert (gap.ended_at, ended.ended_at is None) == (None, False)


# ---------------------------------------------------------------- mastodon


def test_an_account_is_found_by_its_name_and_read_page_by_page(crawl: Crawl) -> None:
    status = shapes.mastodon_status
    route = "/api/v1/accounts/9/statuses?limit=40"
    with Site() as site:
        site.answers |= {
            "/api/v1/accounts/lookup?acct=kpu": shapes.as_json({"id": "9", "acct": "kpu"}),
            route: shapes.as_json([status(5, "Lima", "kpu"), status(4, "Empat", "kpu")]),
            f"{route}&max_id=4": shapes.as_json([status(2, "Dua", "kpu")]),
            f"{route}&max_id=2": shapes.as_json([]),
            f"{route}&since_id=5": shapes.as_json([status(6, "Enam", "kpu")]),
            f"{route}&since_id=5&max_id=6": shapes.as_json([]),
        }
        first = crawl(site, [source(site, "mastodon", "/@kpu")])
        second = crawl(site, [source(site, "mastodon", "/@kpu")])
    assert [(p.native_id, p.text) for p in first.posts] == [
        ("https://m.example/users/kpu/statuses/5", "Lima"),
        ("https://m.example/users/kpu/statuses/4", "Empat"),
        ("https://m.example/users/kpu/statuses/2", "Dua"),
    ]
    assert texts(second) == ["Enam"]


def test_an_account_that_the_server_does_not_know_is_a_gap(crawl: Crawl) -> None:
    with Site({"/api/v1/accounts/lookup": shapes.as_json({"error": "Record not found"}, 404)}) as site:
        result = crawl(site, [source(site, "mastodon", "/@hilang")])
    assert result.causes == ["HTTP 404"]


def test_what_is_for_followers_alone_never_reaches_the_log(crawl: Crawl) -> None:
    route = "/api/v1/timelines/public"
    statuses = [
        shapes.mastodon_status(2, "Umum", "kpu"),
        {**shapes.mastodon_status(1, "Untuk pengikut", "kpu"), "visibility": "private"},
    ]
    with Site({f"{route}?limit=40": shapes.as_json(statuses), route: shapes.as_json([])}) as site:
        result = crawl(site, [source(site, "mastodon", "/public")])
    assert texts(result) == ["Umum"]
    assert result.tally["problems"] == 1


# ---------------------------------------------------------------- bluesky


def test_an_author_is_read_by_cursor_and_new_likes_are_told_again(crawl: Crawl) -> None:
    made = shapes.bluesky_post
    route = "/xrpc/app.bsky.feed.getAuthorFeed?limit=100&actor=warga.example"
    with Site() as site:
        site.answers[route] = shapes.bluesky_feed(made("c", "Tiga", 30), made("b", "Dua", 20), cursor="2025-b")
        site.answers[f"{route}&cursor=2025-b"] = shapes.bluesky_feed(made("a", "Satu", 10))
        where = "/xrpc/app.bsky.feed.getAuthorFeed?actor=warga.example"
        first = crawl(site, [source(site, "bluesky", where)])
        asked = len(site.asked)
        site.answers[route] = shapes.bluesky_feed(
            made("d", "Empat", 40), made("c", "Tiga", 30, likes=7), made("b", "Dua", 20), cursor="2025-b"
        )
        second = crawl(site, [source(site, "bluesky", where)])
    assert [(p.native_id.rsplit("/", 1)[-1], p.text) for p in first.posts] == [
        ("c", "Tiga"),
        ("b", "Dua"),
        ("a", "Satu"),
    ]
    assert first.posts[0].native_id == "at://did:plc:wargasatu/app.bsky.feed.post/c"
    assert [(p.text, p.counts["likes"]) for p in second.posts] == [("Empat", 0), ("Tiga", 7)]
    assert len(paths(site, asked)) == 1


def test_a_search_goes_back_by_time_since_cursors_need_an_account(crawl: Crawl) -> None:
    made = shapes.bluesky_post
    route = "/xrpc/app.bsky.feed.searchPosts?limit=100&q=pilkada&sort=latest"
    with Site() as site:
        site.answers[route] = shapes.bluesky_search(made("c", "Tiga", 30), made("b", "Dua", 20), cursor="2")
        site.answers[f"{route}&cursor=2"] = Answer(status=403)
        site.answers[f"{route}&until=2025-11-20T02%3A20%3A00Z"] = shapes.bluesky_search(
            made("a", "Satu", 10), cursor="3"
        )
        site.answers[f"{route}&until=2025-11-20T02%3A10%3A00Z"] = shapes.bluesky_search()
        result = crawl(site, [source(site, "bluesky", "/xrpc/app.bsky.feed.searchPosts?q=pilkada&sort=latest")])
    assert texts(result) == ["Tiga", "Dua", "Satu"]
    assert result.gaps == []


# ---------------------------------------------------------------- reddit


def test_a_community_gives_threads_and_the_comments_of_those_that_grew(crawl: Crawl) -> None:
    thread, comment, listing = shapes.reddit_post, shapes.reddit_comment, shapes.listing
    route = "/r/kota/new.json?limit=100&raw_json=1"
    with Site() as site:
        site.answers[route] = shapes.as_json(
            listing(thread("c3", "Tiga"), thread("b2", "Dua", replies=2), after="t3_b2")
        )
        site.answers[f"{route}&after=t3_b2"] = shapes.as_json(listing(thread("a1", "Satu")))
        reply = comment("k2", "Balasan", "t1_k1", "t3_b2")
        site.answers["/r/kota/comments/b2/x.json?limit=500&raw_json=1"] = shapes.as_json(
            [listing(thread("b2", "Dua", replies=2)), listing(comment("k1", "Komentar", "t3_b2", "t3_b2", reply))]
        )
        first = crawl(site, [source(site, "reddit", "/r/kota")])
        asked = len(site.asked)
        site.answers[route] = shapes.as_json(
            listing(thread("b2", "Dua", replies=2), thread("a1", "Satu"), after="t3_a1")
        )
        second = crawl(site, [source(site, "reddit", "/r/kota")])
    told = {post.native_id: post for post in first.posts}
    assert set(told) == {"t3_c3", "t3_b2", "t3_a1", "t1_k1", "t1_k2"}
    assert len(first.posts) == 5
    assert (told["t1_k2"].reply_to, told["t1_k1"].reply_to) == ("t1_k1", "t3_b2")
    assert told["t3_b2"].counts == {"likes": 3, "replies": 2}
    assert told["t3_c3"].published_at.isoformat() == "2025-11-20T00:53:20+00:00"
    assert (second.posts, paths(site, asked)) == ([], [route])


def test_a_page_for_browsers_instead_of_a_listing_is_a_gap(crawl: Crawl) -> None:
    with Site({"/r/kota/new.json": shapes.page("<h1>whoa there, pardner!</h1>")}) as site:
        result = crawl(site, [source(site, "reddit", "/r/kota")])
    assert [cause.partition(":")[0] for cause in result.causes] == ["blocked"]


# ---------------------------------------------------------------- youtube

CHANNEL = "/feeds/videos.xml?channel_id=UCkabartv"
COMMENTS = "/youtube/v3/commentThreads?part=snippet%2Creplies&videoId={}&maxResults=100&order=time&textFormat=plainText"


def test_without_a_key_videos_come_and_their_comments_are_one_gap(crawl: Crawl) -> None:
    with Site(
        {CHANNEL: shapes.youtube_feed("kabartv", ("VIDEO000001", "Debat"), ("VIDEO000002", "Debat dua"))}
    ) as site:
        first = crawl(site, [source(site, "youtube", "/channel/UCkabartv")])
        second = crawl(site, [source(site, "youtube", "/channel/UCkabartv")])
    assert [(p.native_id, p.text, p.counts) for p in first.posts] == [
        ("VIDEO000001", "Debat\nSiaran.", {"views": 12}),
        ("VIDEO000002", "Debat dua\nSiaran.", {"views": 12}),
    ]
    (gap,) = first.gaps
    assert gap.cause.startswith("comments need JAGA_YOUTUBE_KEY: ")
    assert [g.id for g in second.gaps] == [gap.id]
    assert second.posts == []
    assert not any("commentThreads" in path for path in paths(site))


def test_with_a_key_comments_come_too_and_no_address_or_record_shows_the_key(crawl: Crawl) -> None:
    one, two = COMMENTS.format("VIDEO000001"), COMMENTS.format("VIDEO000002")
    with Site() as site:
        site.answers |= {
            CHANNEL: shapes.youtube_feed("kabartv", ("VIDEO000001", "Debat"), ("VIDEO000002", "Tertutup")),
            one: shapes.youtube_comments("VIDEO000001", ("Uc", "Ketiga"), ("Ub", "Kedua"), following="TOK"),
            f"{one}&pageToken=TOK": shapes.youtube_comments("VIDEO000001", ("Ua", "Pertama")),
            two: shapes.google_refusal("commentsDisabled"),
        }
        key = {"JAGA_YOUTUBE_KEY": "kunci-rahasia"}
        first = crawl(site, [source(site, "youtube", "/channel/UCkabartv")], settings=key)
        asked = len(site.asked)
        site.answers[one] = shapes.youtube_comments("VIDEO000001", ("Uc", "Ketiga"), ("Ub", "Kedua"), following="TOK")
        second = crawl(site, [source(site, "youtube", "/channel/UCkabartv")], settings=key)
    comments = [post for post in first.posts if post.reply_to]
    assert [(p.native_id, p.text, p.reply_to) for p in comments] == [
        ("Uc", "Ketiga", "VIDEO000001"),
        ("Ub", "Kedua", "VIDEO000001"),
        ("Ua", "Pertama", "VIDEO000001"),
    ]
    assert first.gaps == []
    assert (second.posts, paths(site, asked)) == ([], [CHANNEL, one, two])
    sent = {path.partition("?")[0]: headers.get("x-goog-api-key") for path, headers in site.asked}
    assert sent == {"/robots.txt": None, "/feeds/videos.xml": None, "/youtube/v3/commentThreads": "kunci-rahasia"}
    for file in first.home.rglob("*"):
        assert file.is_dir() or b"kunci-rahasia" not in file.read_bytes(), file
    assert "kunci-rahasia" not in first.said


def test_a_spent_quota_is_one_gap_however_many_videos_there_are(crawl: Crawl) -> None:
    videos = [(f"VIDEO00000{n}", f"Debat {n}") for n in range(5)]
    with Site({CHANNEL: shapes.youtube_feed("kabartv", *videos)}) as site:
        site.answers["/youtube/v3/commentThreads"] = shapes.google_refusal("quotaExceeded")
        key = {"JAGA_YOUTUBE_KEY": "k"}
        result = crawl(site, [source(site, "youtube", "/channel/UCkabartv")], settings=key)
        site.answers["/youtube/v3/commentThreads"] = shapes.youtube_comments("VIDEO000000")
        back = crawl(site, [source(site, "youtube", "/channel/UCkabartv")], settings=key)
    assert result.causes == ["HTTP 403, quotaExceeded"]
    assert site.hits[COMMENTS.format("VIDEO000000")] == 2
    assert len(result.posts) == 5
    assert [gap.ended_at is None for gap in back.gaps] == [False]


def test_a_key_is_not_carried_to_where_a_redirect_leads(crawl: Crawl) -> None:
    with Site() as site:
        site.answers["/youtube/v3/commentThreads"] = Answer(status=302, headers={"Location": f"{site.base}/pencuri"})
        result = crawl(site, [source(site, "youtube", "/watch?v=VIDEO000001")], settings={"JAGA_YOUTUBE_KEY": "kunci"})
    assert site.hits["/pencuri"] == 0
    assert result.causes == ["HTTP 302"]


# ---------------------------------------------------------------- fact checks by API

CLAIMS = "/v1alpha1/claims:search?pageSize=100&languageCode=id&query=pilkada"


def test_claims_come_by_key_and_later_only_the_new_are_asked_for(crawl: Crawl) -> None:
    where = "/v1alpha1/claims:search?languageCode=id&query=pilkada"
    with Site() as site:
        site.answers |= {
            CLAIMS: shapes.google_claims(("https://cek.example/1", "Kotak suara kardus dicuri"), following="HAL2"),
            f"{CLAIMS}&pageToken=HAL2": shapes.google_claims(("https://cek.example/2", "TPS ditutup siang")),
            f"{CLAIMS}&maxAgeDays=7": shapes.google_claims(
                ("https://cek.example/2", "TPS ditutup siang"), ("https://cek.example/3", "Surat suara tercoblos")
            ),
        }
        key = {"JAGA_FACTCHECK_KEY": "kunci-rahasia"}
        without = crawl(site, [source(site, "factcheck_api", where)])
        unasked = paths(site)
        first = crawl(site, [source(site, "factcheck_api", where)], settings=key)
        second = crawl(site, [source(site, "factcheck_api", where)], settings=key)
    assert (without.claims, unasked, len(without.gaps)) == ([], [], 1)
    assert without.gaps[0].cause.startswith("needs JAGA_FACTCHECK_KEY: ")
    assert [(c.claim_id, c.text, c.rating, c.publisher) for c in first.claims] == [
        ("https://cek.example/1", "Kotak suara kardus dicuri", "Salah", "Cek Contoh"),
        ("https://cek.example/2", "TPS ditutup siang", "Salah", "Cek Contoh"),
    ]
    assert [gap.id for gap in first.gaps] == [without.gaps[0].id]
    assert first.gaps[0].ended_at is not None
    assert [claim.text for claim in second.claims] == ["Surat suara tercoblos"]
    assert "kunci-rahasia" not in first.said


def test_a_key_is_leave_enough_where_robots_txt_gives_none(crawl: Crawl) -> None:
    claims = shapes.google_claims(("https://cek.example/1", "Kotak suara kardus dicuri"))
    with Site({"/robots.txt": Answer("User-agent: *\nDisallow: /"), "/v1alpha1/claims:search": claims}) as site:
        told = [source(site, "factcheck_api", "/v1alpha1/claims:search?query=x")]
        result = crawl(site, told, settings={"JAGA_FACTCHECK_KEY": "kunci-rahasia"})
    assert [claim.text for claim in result.claims] == ["Kotak suara kardus dicuri"]


def test_a_refused_key_is_one_gap(crawl: Crawl) -> None:
    with Site({"/v1alpha1/claims:search": shapes.google_refusal("badRequest", 400)}) as site:
        result = crawl(
            site,
            [source(site, "factcheck_api", "/v1alpha1/claims:search?query=x")],
            settings={"JAGA_FACTCHECK_KEY": "salah"},
        )
    assert result.causes == ["HTTP 400"]


# ---------------------------------------------------------------- forums


def test_a_phpbb_forum_gives_topics_whole_and_later_their_new_posts_from_the_last_page_on(crawl: Crawl) -> None:
    listing, topic = shapes.phpbb_list, shapes.phpbb_topic
    second_page = "./viewtopic.php?t=1&amp;start=2"
    with Site() as site:
        site.answers |= {
            "/f/viewforum.php?f=2": listing((1, "Banjir", 3), (2, "Jalan rusak", 0), session="a" * 32),
            "/f/viewtopic.php?t=1": topic("Banjir", (11, "Air naik"), (12, "Setuju"), following=second_page),
            "/f/viewtopic.php?t=1&start=2": topic("Banjir", (13, "Sudah surut"), session="b" * 32),
            "/f/viewtopic.php?t=2": topic("Jalan rusak", (21, "Lubang di mana-mana")),
        }
        first = crawl(site, [source(site, "forum", "/f/viewforum.php?f=2")])
        asked = len(site.asked)
        site.answers["/f/viewforum.php?f=2"] = listing(
            (1, "Banjir", 4), (2, "Jalan rusak", 0), session="c" * 32, views=99
        )
        site.answers["/f/viewtopic.php?t=1&start=2"] = topic("Banjir", (13, "Sudah surut"), (14, "Terima kasih"))
        second = crawl(site, [source(site, "forum", "/f/viewforum.php?f=2")])
    assert {p.native_id.partition("/f/")[2]: p.text for p in first.posts} == {
        "viewtopic.php?p=11#p11": "Banjir\nAir naik",
        "viewtopic.php?p=12#p12": "Setuju",
        "viewtopic.php?p=13#p13": "Sudah surut",
        "viewtopic.php?p=21#p21": "Jalan rusak\nLubang di mana-mana",
    }
    assert {p.published_at.isoformat() for p in first.posts} == {"2025-11-20T04:00:00+00:00"}
    assert len({p.author for p in first.posts}) == 1
    assert texts(second) == ["Terima kasih"]
    assert paths(site, asked) == ["/f/viewforum.php?f=2", "/f/viewtopic.php?t=1&start=2"]


def test_a_kaskus_thread_is_read_to_its_end_though_the_site_never_ends_it(crawl: Crawl) -> None:
    thread = "/thread/" + "5" * 24 + "/pilkada-damai"
    first_post, last_post = "a" * 23 + "1", "a" * 23 + "2"
    with Site() as site:
        site.answers |= {
            thread: shapes.kaskus_thread("Pilkada damai", (first_post, "Ayo jaga"), following=f"{thread}/2"),
            f"{thread}/2": shapes.kaskus_thread("Pilkada damai", (last_post, "Siap"), following=f"{thread}/3"),
            f"{thread}/3": shapes.kaskus_thread("Pilkada damai", (last_post, "Siap"), following=f"{thread}/4"),
        }
        result = crawl(site, [source(site, "forum", thread)])
    assert [(p.native_id, p.text) for p in result.posts] == [
        (f"{site.base}/show_post/{first_post}", "Pilkada damai\nAyo jaga"),
        (f"{site.base}/show_post/{last_post}", "Siap"),
    ]
    assert result.posts[0].published_at.isoformat() == "2025-11-19T22:00:00+00:00"
    assert result.posts[0].author != result.posts[1].author
    assert site.hits[f"{thread}/4"] == 0


def test_a_forum_of_another_make_is_read_by_what_it_tells_search_engines(crawl: Crawl) -> None:
    told = {
        "@context": "https://schema.org",
        "@type": "DiscussionForumPosting",
        "headline": "Antre beras",
        "text": "Sejak pagi.",
        "url": "/diskusi/7",
        "author": {"@type": "Person", "name": "warga"},
        "datePublished": "2025-11-20T08:00:00+07:00",
        "comment": [{"@type": "Comment", "text": "Sama.", "url": "/diskusi/7#2", "author": {"name": "tetangga"}}],
    }
    with Site(
        {"/diskusi/7": shapes.page(f'<script type="application/ld+json">{json.dumps(told)}</script><p>x</p>')}
    ) as site:
        result = crawl(site, [source(site, "forum", "/diskusi/7")])
    assert [(p.native_id.removeprefix(site.base), p.text) for p in result.posts] == [
        ("/diskusi/7", "Antre beras\nSejak pagi."),
        ("/diskusi/7#2", "Sama."),
    ]


def test_a_forum_that_names_another_base_is_followed_from_page_to_page(crawl: Crawl) -> None:
    def post(number: int, words: str) -> str:
        when = f'<span class="DateTime" title="Nov {number}, 2025 at 9:15 AM">x</span>'
        body = f'<blockquote class="messageText">{words}</blockquote>'
        return f'<li id="post-{number}" class="message"><a class="username" href="members/w/">wati</a>{when}{body}</li>'

    with Site() as site:
        base = f'<base href="{site.base}/forum/">'
        listed = '<ol><li><h3><a class="PreviewTooltip" href="threads/pasir.3/">Pasir</a></h3></li></ol>'
        onward = '<link rel="next" href="threads/pasir.3/page-2">'
        site.answers |= {
            "/forum/desa/": shapes.page(base + listed),
            "/forum/threads/pasir.3/": shapes.page(f"{base}{onward}<h1>Pasir</h1><ol>{post(5, 'Berapa?')}</ol>"),
            "/forum/threads/pasir.3/page-2": shapes.page(f"{base}<h1>Pasir</h1><ol>{post(6, 'Dua ratus')}</ol>"),
        }
        result = crawl(site, [source(site, "forum", "/forum/desa/")])
    assert [(p.native_id.removeprefix(site.base), p.text) for p in result.posts] == [
        ("/forum/threads/pasir.3/#post-5", "Pasir\nBerapa?"),
        ("/forum/threads/pasir.3/page-2#post-6", "Dua ratus"),
    ]


@pytest.mark.parametrize("kind", ["feed", "sitemap", "telegram", "mastodon", "forum", "discourse", "wordpress"])
def test_a_check_for_robots_in_the_way_is_one_gap_that_says_blocked(crawl: Crawl, kind: str) -> None:
    wall = shapes.page("<title>Just a moment...</title><p>Enable JavaScript and cookies to continue</p>")
    with Site({"/s/kabar": wall, "/lain": wall, "/wp-json/wp/v2/posts": wall}) as site:
        path = {"telegram": "/s/kabar", "wordpress": "/"}.get(kind, "/lain")
        result = crawl(site, [source(site, kind, path)])
    assert result.posts == []
    assert result.causes
    assert all("blocked" in cause for cause in result.causes)


@pytest.mark.parametrize("kind", ["telegram", "bluesky", "reddit", "forum", "mastodon"])
def test_a_page_of_another_shape_is_told_and_the_visit_ends(crawl: Crawl, kind: str) -> None:
    path = {"telegram": "/s/kabar", "reddit": "/r/kota", "bluesky": "/xrpc/app.bsky.feed.getAuthorFeed?actor=a"}
    with Site() as site:
        for route in ("/s/kabar", "/r/kota/new.json", "/xrpc/app.bsky.feed.getAuthorFeed", "/lain"):
            site.answers[route] = shapes.page("<p>Kami pindah rumah.</p>")
        result = crawl(site, [source(site, kind, path.get(kind, "/lain"))])
    assert result.posts == []
    assert result.tally["problems"] == 1
    assert [gap.ended_at for gap in result.gaps] == [None]
