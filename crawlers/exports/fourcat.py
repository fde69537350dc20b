"""Tables that 4CAT, Zeeschuimer, twarc-csv and other collectors write: columns as their sources name them.

4CAT: https://github.com/digitalmethodsinitiative/4cat (`map_item` of each data source). Its `timestamp` is in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.pages.dates import WIB

from .tables import Table


def _table(name: str, platform: str, known_by: str, **fields: object) -> Table:
    return Table(name, platform, frozenset(known_by.split("|") if "|" in known_by else known_by.split()), **fields)  # type: ignore[arg-type]


_X = {
    "likes": "like_count",
    "reposts": "retweet_count",
    "replies": "reply_count",
    "quotes": "quote_count",
    "views": "impression_count",
}
_TWITTER_FORM = "https://x.com/{author}/status/{id}"

TABLES: tuple[Table, ...] = (
    _table(
        "4CAT, TikTok comments", "tiktok", "post_id post_url comment_url is_comment_on_comment",
        url=("comment_url",), author=("author",), reply_to=("thread_id",), counts={"likes": "likes", "replies": "replies"},
    ),
    _table(
        "4CAT, TikTok", "tiktok", "tiktok_url plays",
        url=("tiktok_url",), author=("author",), text=("body",), media=("thumbnail_url",),
        counts={"likes": "likes", "reposts": "shares", "replies": "comments", "views": "plays"},
    ),
    _table(
        "4CAT, TikTok (older)", "tiktok", "tiktok_url amount_likes",
        url=("tiktok_url",), author=("author",), media=("thumbnail_url",),
        counts={"likes": "amount_likes", "reposts": "amount_shares", "replies": "amount_comments", "views": "amount_plays"},
    ),
    _table(
        "Zeeschuimer decoder, TikTok", "tiktok", "description digg_count share_count comment_count play_count search_url",
        url=("url",), text=("description",), author=("author",), author_in_url="/@([^/]+)/", published_at=("timestamp", "create_time"),
        counts={"likes": "digg_count", "reposts": "share_count", "replies": "comment_count", "views": "play_count"},
    ),
    _table(
        "Zeeschuimer decoder, X", "x", "tweet is_retweet view_count heart_count search_url",
        url=("url",), text=("tweet",), author=("author",), author_in_url="/@?([^/]+)/status/", published_at=("timestamp", "created_at"),
        counts={"likes": "heart_count", "reposts": "retweet_count", "replies": "reply_count", "views": "view_count"},
    ),
    _table(
        "4CAT, Instagram", "instagram", "num_likes num_comments",
        url=("url",), url_form="https://www.instagram.com/p/{id}/", title=("subject",),
        media=("image_urls", "thumbnail_url", "media_url"),
        counts={"likes": "num_likes", "replies": "num_comments", "views": "play_count"},
    ),
    _table(
        "4CAT, X", "x", "is_retweet is_quote_tweet retweet_count language_guess",
        url=("link",), url_form=_TWITTER_FORM, repost_of=("quote_tweet_id",), links=("urls",), media=("images",), counts=_X,
    ),
    _table(
        "4CAT, Threads", "threads", "author_is_verified is_paid_partnership reposts quotes link_url",
        url=("url",), author=("author",), links=("link_url",), media=("image_url",),
        counts={"likes": "likes", "reposts": "reposts", "replies": "replies", "quotes": "quotes"},
    ),
    _table(
        "4CAT, Truth Social", "truthsocial", "account_id account_display_name reblogs_count replies_count video_thumbs",
        url=("url",), author=("account_id", "account_username"), markup=True, published_at=("created_at", "timestamp"),
        media=("images", "video_urls", "video_thumbs"),
        counts={"likes": "favourites_count", "reposts": "reblogs_count", "replies": "replies_count"},
    ),
    _table(
        "4CAT, Gab", "gab", "account_id account_account reaction_count reblogs_count",
        url=("url",), author=("account_id", "account_username"), markup=True, published_at=("created_at", "timestamp"),
        links=("link_url",), media=("image_urls", "video_urls"),
        counts={"likes": "favourites_count", "reposts": "reblogs_count", "replies": "replies_count", "reactions": "reaction_count"},
    ),
    _table(
        "4CAT, Douyin", "douyin", "digg_count collect_count author_user_id video_description",
        url=("post_url",), author=("author_user_id",), text=("body", "video_description"), media=("image_urls", "video_thumbnail"),
        counts={"likes": "digg_count", "reposts": "share_count", "replies": "comment_count", "views": "play_count"},
    ),
    _table(
        "4CAT, Douyin", "douyin", "digg_count collect_count author_user_id prevent_download",
        url=("post_url",), author=("author_user_id",), media=("image_urls", "video_thumbnail"),
        counts={"likes": "digg_count", "reposts": "share_count", "replies": "comment_count", "views": "play_count"},
    ),
    _table(
        "4CAT, LinkedIn", "linkedin", "timestamp_ago is_promoted inclusion_context",
        url=("post_url",), author=("author",), links=("link_url",), media=("image_urls", "video_thumb_url"),
        counts={"likes": "reactions", "reposts": "shares", "replies": "comments"},
    ),
    _table(
        "4CAT, 9GAG", "9gag", "upvotes downvotes is_vote_masked",
        url=("url",), author=("author",), title=("subject",), links=("source_url",), media=("image_url",),
        counts={"likes": "upvotes", "replies": "comments"},
    ),
    _table(
        "4CAT, Imgur", "imgur", "upvotes downvotes virality_score",
        url=("post_url",), author=("author",), title=("subject",), media=("media_url",),
        counts={"likes": "upvotes", "replies": "comments", "views": "views"},
    ),
    _table(
        "4CAT, Pinterest", "pinterest", "pinner_original board board_url",
        url=("url",), author=("author",), title=("subject",), media=("image_url",),
    ),
    _table(
        "4CAT, RedNote comments", "xiaohongshu", "ip_location author_avatar_url replies",
        url=("url",), author=("author",), reply_to=("thread_id",), counts={"likes": "likes", "replies": "replies"},
    ),
    _table(
        "4CAT, RedNote", "xiaohongshu", "title author_avatar_url likes hashtags video_url",
        url=("url",), author=("author",), title=("title",), media=("image_urls", "image_url"), counts={"likes": "likes"},
    ),
    _table(
        "4CAT, Bluesky", "bluesky", "quoted_post replied_to_post replies_allowed author_id",
        url=("link",), author=("author_id", "author"), published_at=("created_at", "timestamp"), reply_to=("replied_to_post",),
        repost_of=("quoted_post",), links=("links",), media=("images",),
        counts={"likes": "like_count", "reposts": "repost_count", "replies": "reply_count", "quotes": "quote_count"},
    ),
    _table(
        "4CAT, Facebook", "facebook", "is_in_group group_name author_name",
        url=("url",), author=("author",), media=("image_url",),
    ),
    _table(
        "4CAT, Tumblr", "tumblr", "reblog_key note_count post_slug",
        url=("post_url",), author=("author",), text=("body", "body_reblogged"), repost_of=("parent_post_url",),
        links=("link_urls",), media=("image_urls", "video_urls"),
        counts={"likes": "like_count", "reposts": "reblog_count", "replies": "reply_count"},
    ),
    _table(
        "CrowdTangle, as 4CAT imported it", "facebook", "page_name likes_love views_total",
        url=("url",), author=("page_id", "author"), links=("url_original",),
        counts={"likes": "likes", "reposts": "shares", "replies": "comments", "views": "views_post"},
    ),
    _table(
        "twarc-csv", "x", "public_metrics.like_count author_id text",
        url_form="https://x.com/{author}/status/{id}", author=("author_id", "author.id", "author.username"), text=("text",),
        published_at=("created_at",), reply_to=("referenced_tweets.replied_to.id",),
        repost_of=("referenced_tweets.retweeted.id", "referenced_tweets.quoted.id"),
        links=("entities.urls",), media=("attachments.media",),
        counts={
            "likes": "public_metrics.like_count", "reposts": "public_metrics.retweet_count",
            "replies": "public_metrics.reply_count", "quotes": "public_metrics.quote_count",
            "views": "public_metrics.impression_count",
        },
    ),
    _table(
        "tweet-harvest", "x", "conversation_id_str full_text id_str user_id_str",
        native_id=("id_str",), url=("tweet_url",), url_form=_TWITTER_FORM, author=("user_id_str", "username"), text=("full_text",),
        published_at=("created_at",), media=("image_url",),
        counts={"likes": "favorite_count", "reposts": "retweet_count", "replies": "reply_count", "quotes": "quote_count"},
    ),
    _table(
        "Twint", "x", "conversation_id tweet retweets_count likes_count",
        url=("link",), url_form=_TWITTER_FORM, author=("user_id", "username"), text=("tweet",), published_at=("created_at", "date"),
        repost_of=("retweet_id",), links=("urls",), media=("photos", "thumbnail"),
        counts={"likes": "likes_count", "reposts": "retweets_count", "replies": "replies_count"},
    ),
    _table(
        "X API v2, as a table", "x", "author_id conversation_id text",
        native_id=("id", "tweet_id"), url_form=_TWITTER_FORM, author=("author_id", "user_username"), text=("text",),
        published_at=("created_at",), repost_of=("sourcetweet_id",), counts=_X,
    ),
    _table(
        "twarc, as a table", "x", "tweet_type retweet_or_quote_id user_screen_name text",
        native_id=("id", "tweet_id"), url=("tweet_url",), author=("user_id", "user_screen_name"), text=("text",),
        published_at=("created_at", "parsed_created_at"), reply_to=("in_reply_to_status_id",), repost_of=("retweet_or_quote_id",),
        links=("urls",), media=("media",), counts={"likes": "favorite_count", "reposts": "retweet_count"},
    ),
    _table(
        "DMI-TCAT", "x", "from_user_name from_user_id in_reply_to_status_id text",
        url_form=_TWITTER_FORM, author=("from_user_id", "from_user_name"), text=("text",), published_at=("time", "created_at"),
        reply_to=("in_reply_to_status_id",), repost_of=("retweet_id", "quoted_status_id"), links=("urls_expanded", "urls"), media=("media_urls",),
        counts={"likes": "favorite_count", "reposts": "retweet_count"},
    ),
    _table(
        "Brandwatch", "web", "Query Id|Query Name|Page Type|Full Text",
        platform_in=("Page Type",), native_id=(), id_in_url=True, url=("Url", "Original Url", "Mention URL"),
        author=("Twitter Author ID", "X Author ID", "Facebook Author ID", "Author"), title=("Title",), text=("Full Text", "Snippet"),
        published_at=("Date",), reply_to=("Twitter Reply to", "X Reply to"), repost_of=("Twitter Retweet of", "X Repost of"),
        links=("Expanded URLs",), media=("Media URLs",),
        counts={
            "likes": ("Twitter Likes", "X Likes", "Facebook Likes", "Instagram Likes"),
            "reposts": ("Twitter Retweets", "X Reposts", "Facebook Shares"),
            "replies": ("Twitter Reply Count", "X Replies", "Facebook Comments", "Instagram Comments"),
            "views": ("Impressions",),
        },
    ),
    _table(
        "Meltwater", "web", "Hit Sentence|Opening Text|Influencer|Source",
        platform_in=("Source",), native_id=("Tweet Id",), id_in_url=True, url=("URL",), author=("Twitter Id", "Influencer"),
        title=("Headline",), text=("Hit Sentence", "Opening Text"), published_at=("Date", "Alternate Date Format"), zone=WIB,
        counts={
            "likes": "Likes", "reposts": ("Retweets", "Shares"), "replies": ("Replies", "Comments"), "reactions": "Reactions", "views": "Views",
        },
    ),
    _table(
        "Talkwalker", "web", "url|indexed|published|content|content_snippet",
        native_id=(), id_in_url=True, url=("url",), platform_in=("source_type", "domain_url"),
        author=("extra_author_attributes.id", "extra_author_attributes.name", "author"), title=("title",), text=("content", "content_snippet"),
        published_at=("published",), media=("images",),
        counts={
            "likes": ("article_extended_attributes.twitter_likes", "article_extended_attributes.facebook_likes"),
            "reposts": ("article_extended_attributes.twitter_retweets", "article_extended_attributes.facebook_shares"),
            "replies": ("article_extended_attributes.num_comments",),
            "interactions": "engagement",
        },
    ),
    _table(
        "facebook-scraper", "facebook", "post_id post_text shared_text",
        native_id=("post_id",), url=("post_url",), author=("user_id", "username"), text=("post_text", "text"),
        published_at=("timestamp", "time"), repost_of=("shared_post_id",), links=("link",), media=("image", "images"),
        counts={"likes": "likes", "reposts": "shares", "replies": "comments", "reactions": "reaction_count"},
    ),
    _table(
        "TikTok Research API", "tiktok", "video_description create_time region_code",
        native_id=("id", "video_id"), url_form="https://www.tiktok.com/@{author}/video/{id}", author=("username",),
        text=("video_description",), published_at=("create_time",),
        counts={"likes": "like_count", "reposts": "share_count", "replies": "comment_count", "views": "view_count"},
    ),
    _table(
        "YouTube Data Tools, videos", "youtube", "videoId videoTitle videoDescription channelId",
        native_id=("videoId",), url_form="https://www.youtube.com/watch?v={id}", author=("channelId",), title=("videoTitle",),
        text=("videoDescription",), published_at=("publishedAt",), media=("thumbnail_maxres", "thumbnail_high"),
        counts={"likes": "likeCount", "replies": "commentCount", "views": "viewCount"},
    ),
    _table(
        "YouTube Data Tools, comments", "youtube", "authorName authorChannelId isReplyTo text",
        author=("authorChannelId",), text=("text",), published_at=("publishedAt",), reply_to=("isReplyTo",),
        counts={"likes": "likeCount", "replies": "replyCount"},
    ),
)  # fmt: skip

OTHER = _table(
    "4CAT, another data source", "import", "thread_id body timestamp", author=("author_id", "author"), title=("subject",),
    url=("url", "post_url", "link"), links=("link_url",), media=("image_url", "image_urls"),
    counts={"likes": ("likes", "like_count"), "reposts": ("reposts", "shares"), "replies": ("replies", "comments"), "views": "views"},
)  # fmt: skip
"""What every table of 4CAT has, and a time in UTC."""

TELEGRAM_COLUMNS = frozenset({"author_forwarded_from_name", "attachment_type", "chat"})
"""4CAT's own Telegram table: its ids are `chat-number`, which we know as `chat/number`; see `meta.telegram`."""


def table_of(header: Mapping[str, object] | list[str]) -> Table | None:
    """The table that has these columns; of several, the one with the most columns of its own."""
    names = set(header)
    fits = [t for t in TABLES if t.known_by <= names]
    return max(fits, key=lambda t: len(t.known_by), default=OTHER if OTHER.known_by <= names else None)
