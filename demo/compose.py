"""Lays the hand-written texts out over a campaign week: who says what, where, when, copied how often.

Everything is drawn from one seeded generator, so the same seed gives the same world, byte for byte.
"""

from __future__ import annotations

import csv
import random
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from demo.copying import near_copy
from demo.library import CONTENT, Entry, Line, notebook
from demo.world import (
    HOSTS,
    WEEK_ENDS_AT,
    WEEK_STARTS_AT,
    WIB,
    Account,
    Article,
    Comment,
    Meaning,
    Status,
    Topic,
    World,
)

SEED = 20261125

# Share of a week's statuses by hour of day (WIB), read off the daily shape of any social network: quiet
# at night, peaks at lunch and after the evening prayer.
_HOURS = [2, 1, 1, 1, 2, 4, 7, 8, 8, 8, 8, 9, 11, 9, 8, 8, 9, 9, 10, 12, 13, 12, 8, 4]

# kind -> (mu, sigma) of the log-normal from which favourites are drawn; reblogs are about half of them.
_REACH = {
    "ordinary": (1.2, 1.0),
    "hoax": (4.6, 0.8),
    "hoax_unchecked": (3.2, 0.8),
    "correction": (3.0, 0.9),
    "question": (1.2, 0.8),
    "criticism": (3.2, 1.0),
    "satire": (3.6, 1.0),
    "provocation": (4.2, 0.7),
    "hate": (4.0, 0.7),
    "abusive": (-0.5, 0.6),
    "counter_speech": (3.0, 0.9),
}

_MEDIA = re.compile(r"\s*\{foto: ([^}]*)\}")
_LANGUAGE = re.compile(r"^\((jv|su|en|ms|ban|bug)\)\s*")


@cache
def compose(seed: int = SEED) -> World:
    """The whole small web, the same for the same seed."""
    return _Composer(seed).world()


def instant(text: str) -> datetime:
    """`18 19:30` (day of November 2026, WIB) as an aware datetime."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=WIB)


class _Composer:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a story's dice, not a secret's
        self.accounts = _accounts()
        self.by_handle = {account.handle: account for account in self.accounts}
        # Whoever passes stories on (`percaya`) is never the one who corrects them; both talk about food
        # and football.
        self.credulous = [account for account in self.accounts if account.role == "percaya"]
        self.careful = [account for account in self.accounts if account.role == "warga"]
        self.warga = [account for account in self.accounts if account.role in ("percaya", "warga")]
        self.buzzers = [account for account in self.accounts if account.role == "pengeras"]
        self.media = {account.region: account for account in self.accounts if account.role == "media"}
        self.statuses: list[Status] = []
        self.stories = {entry.head: entry for entry in (*notebook("stories"), *notebook("rumours"), *notebook("heat"))}
        self.claims = {entry.head: _claim_url(entry) for entry in notebook("stories")}
        self.sequence = 0
        self.turn = 0

    def world(self) -> World:
        articles = self._articles()
        for entry in notebook("chatter"):
            self._chatter(entry)
        for entry in notebook("voices"):
            self._chatter(entry, kind=entry.head)
        for entry in self.stories.values():
            self._story(entry)
        self._teasers(articles)
        self._boosts()
        self._oddities()
        topics = self._topics()
        self.statuses.sort(key=lambda status: int(status.id))
        for status in self.statuses:
            if status.reply_to is not None:
                status.reply_to.replies += 1
        return World(self.accounts, self.statuses, topics, articles)

    # -- microblog

    def _chatter(self, entry: Entry, kind: str = "ordinary") -> None:
        previous: Status | None = None
        for line in entry.parts.get("lines", []):
            meaning = self._meaning(line.tag) if line.tag else Meaning(kind)
            if line.answers and previous is not None:
                at = previous.at + timedelta(minutes=self.rng.uniform(2, 90))
                author = self._someone_else(previous.account)
                previous = self._say(author, line.text, at, meaning, reply_to=previous)
            else:
                previous = self._say(self.rng.choice(self.warga), line.text, self._any_time(), meaning)

    def _story(self, entry: Entry) -> None:
        spread = [line.text for line in entry.parts["spread"]]
        region = entry.columns[-1] if entry.columns else ""
        meaning = self._meaning_of(entry.head, "spread")
        first_at = instant(entry.one("first"))
        originals: list[Status] = []
        self.turn += 1
        at = first_at
        for number in range(int(entry.one("copies"))):
            author = self._spreader(region, number)
            if number >= 3 and number % 6 == 5:
                self._reblog(author, self.rng.choice(originals[:2]), at)
            else:
                text = self._copy_text(spread, number, region)
                originals.append(self._say(author, text, at, meaning))
            # A loud copy is echoed within minutes by the amplifier accounts, later ones dribble in over a
            # day or two.
            pause_h = self.rng.expovariate(12) if number % 4 == 1 else self.rng.expovariate(1 / 3)
            at = self._inside_week(at + timedelta(hours=pause_h, seconds=self.rng.randrange(60)))
        for part in ("question", "correction", "satire"):
            for line in entry.parts.get(part, []):
                self._answer(part, line, originals, self._meaning_of(entry.head, part), first_at, entry)

    def _answer(
        self,
        part: str,
        line: Line,
        originals: list[Status],
        meaning: Meaning,
        first_at: datetime,
        entry: Entry,
    ) -> None:
        if part == "correction":
            checked_at = max(instant(entry.one("checked")), first_at)
            at = self._inside_week(checked_at + timedelta(hours=self.rng.uniform(0.5, 16)))
        else:
            at = self._inside_week(first_at + timedelta(hours=self.rng.uniform(0.3, 9)))
        target = self.rng.choice(originals[:4])
        if part == "correction" and line.text.startswith("["):
            fact_checker = self.by_handle["cekfaktawarga"]
            said_at = checked_at + timedelta(minutes=25)
            self._say(fact_checker, f"{line.text} {self.claims[entry.head]}", said_at, meaning)
        elif part != "satire" and target.at < at and self.rng.random() < 0.5:
            self._say(self.rng.choice(self.careful), line.text, at, meaning, reply_to=target)
        else:
            self._say(self.rng.choice(self.careful), line.text, at, meaning)

    def _copy_text(self, spread: list[str], number: int, region: str) -> str:
        """Rewordings take their turn among exact and near copies of the first two wordings."""
        if number == 0:
            return spread[0]
        if number % 2 == 0 and number // 2 < len(spread):
            return spread[number // 2]
        source = spread[self.rng.choice([0, 0, 0, 1])]
        if number % 3 == 0:
            return source
        return near_copy(source, region, self.rng)

    def _teasers(self, articles: dict[str, list[Article]]) -> None:
        for site in ("kabarnusa", "wartapesisir"):
            for article in articles[site]:
                if article.ugly or article.meaning.kind != "ordinary" or self.rng.random() > 0.9:
                    continue
                at = self._inside_week(article.at + timedelta(minutes=self.rng.uniform(3, 50)))
                self._say(self.by_handle[site], f"{article.title} {article.canonical}", at, article.meaning)

    def _boosts(self) -> None:
        """Ordinary statuses get boosted too: a repost alone must mean nothing."""
        pool = [status for status in self.statuses if status.meaning.kind == "ordinary" and not status.reblog]
        for status in self.rng.sample(pool, len(pool) // 10):
            at = self._inside_week(status.at + timedelta(hours=self.rng.expovariate(1 / 5)))
            self._reblog(self._someone_else(status.account), status, at)

    def _oddities(self) -> None:
        """Statuses that are hard to read: half an emoji, a year that cannot be, an empty text with a
        picture."""
        plain = [
            s
            for s in self.statuses
            if s.meaning.kind == "ordinary" and not s.reblog and s.account.host == HOSTS["mikro"]
        ]
        for status in plain[:12]:
            status.edited_at = status.at + timedelta(minutes=self.rng.uniform(1, 40))
        torn, ancient, future, late = plain[12], plain[13], plain[14], plain[15]
        torn.text += " \ud83d"  # json writes it as a lone \ud83d escape, as servers in the wild do
        ancient.absurd_at = "0001-01-01T00:00:00.000Z"
        future.absurd_at = "9999-12-31T23:59:59.999Z"
        late.absurd_at = "2099-02-30T25:61:00.000Z"
        for status in plain[20:60:5]:
            status.language = None

    def _say(
        self, author: Account, text: str, at: datetime, meaning: Meaning, reply_to: Status | None = None
    ) -> Status:
        language: str | None = "id"
        if match := _LANGUAGE.match(text):
            language, text = match[1], text[match.end() :]
        media = ""
        if match := _MEDIA.search(text):
            media, text = match[1], _MEDIA.sub("", text)
        if reply_to is not None:
            text = f"@{reply_to.account.acct} {text}"
        status = self._status(author, text, self._inside_week(at), meaning)
        status.language, status.media, status.reply_to = language, media, reply_to
        mu, sigma = _REACH[meaning.kind]
        status.favourites = int(self.rng.lognormvariate(mu, sigma))
        status.reblogs = int(status.favourites * self.rng.uniform(0.2, 0.7))
        self.statuses.append(status)
        return status

    def _reblog(self, author: Account, original: Status, at: datetime) -> None:
        if author is original.account:
            author = self._someone_else(author)
        status = self._status(
            author, "", self._inside_week(max(at, original.at + timedelta(minutes=1))), original.meaning
        )
        status.reblog, status.language = original, None
        status.uri, status.url = f"{status.uri}/activity", f"{status.uri}/activity"
        original.reblogs += 1
        self.statuses.append(status)

    def _status(self, author: Account, text: str, at: datetime, meaning: Meaning) -> Status:
        self.sequence += 1
        # Mastodon's snowflake: milliseconds since 1970 shifted by 16 bits, then a sequence.
        number = str((int(at.timestamp() * 1000) << 16) | self.sequence)
        remote_number = number if author.host == HOSTS["mikro"] else str(int(number) - 7_919)
        return Status(
            id=number,
            uri=f"https://{author.host}/users/{author.handle}/statuses/{remote_number}",
            url=f"https://{author.host}/@{author.handle}/{remote_number}",
            account=author,
            text=text,
            at=at,
            meaning=meaning,
        )

    # -- forum

    def _topics(self) -> list[Topic]:
        topics: list[Topic] = []
        post_id = 4100
        for number, entry in enumerate(notebook("forum"), start=1):
            category, start = entry.columns
            topic = Topic(11 + number, slug_of(entry.head), entry.head, category, views=self.rng.randrange(40, 2600))
            at = instant(start)
            for line in entry.parts["lines"]:
                post_id += self.rng.choice([1, 1, 1, 2, 5])
                place = len(topic.comments) + 1
                meaning, text = self._tagged(line)
                topic.comments.append(
                    Comment(
                        id=post_id,
                        number=place,
                        author=self._forum_author(topic, line),
                        text=text,
                        at=at,
                        meaning=meaning,
                        reply_to=place - 1 if line.answers else None,
                        likes=int(self.rng.lognormvariate(_REACH[meaning.kind][0] - 0.6, 1)),
                    )
                )
                at = self._inside_week(at + timedelta(minutes=self.rng.uniform(2, 260)))
            topics.append(topic)
        return topics

    def _forum_author(self, topic: Topic, line: Line) -> str:
        names = [account.handle for account in self.warga]
        last = topic.comments[-1].author if topic.comments else ""
        return self.rng.choice([name for name in names if name != last])

    def _tagged(self, line: Line) -> tuple[Meaning, str]:
        if not line.tag:
            return Meaning(), line.text
        if line.tag[0] in "=~":
            story, _, number = line.tag[1:].partition("/")
            text = self.stories[story].parts["spread"][int(number or 0)].text
            region = self.stories[story].columns[-1]
            text = text if line.tag[0] == "=" else near_copy(text, region, self.rng)
            return self._meaning_of(story, "spread"), f"{text} {line.text}".strip()
        return self._meaning(line.tag), line.text

    # -- articles

    def _articles(self) -> dict[str, list[Article]]:
        articles: dict[str, list[Article]] = {"cekfakta": [], "kabarnusa": [], "wartapesisir": []}
        for number, entry in enumerate((*notebook("stories"), *notebook("checks")), start=1):
            articles["cekfakta"].append(self._fact_check(entry, 700 + 13 * number))
        for number, entry in enumerate(notebook("news"), start=1):
            at = instant(entry.one("at"))
            site = entry.one("site")
            articles[site].append(
                Article(
                    id=2000 + number,
                    site=site,
                    path=f"2026/11/{at.day:02d}/{entry.one('slug') or slug_of(entry.head)}/",
                    title=entry.head,
                    body=entry.fields["body"],
                    at=at,
                    meaning=self._meaning(entry.one("kind", "ordinary")),
                    section=entry.one("section", "berita"),
                    author=entry.one("author", "Redaksi"),
                    ugly=entry.one("ugly"),
                )
            )
        for listed in articles.values():
            listed.sort(key=lambda article: (article.at, article.id))
        return articles

    def _fact_check(self, entry: Entry, number: int) -> Article:
        url = _claim_url(entry)
        return Article(
            id=number,
            site="cekfakta",
            path=url.split("/", 3)[3],
            title=entry.one("title"),
            body=entry.fields["body"],
            at=instant(entry.one("checked")),
            meaning=Meaning("correction", entry.head, url),
            section="cek-fakta",
            author="Tim Cek Fakta Warga",
            claim=entry.one("claim"),
            rating=entry.one("alt"),
        )

    # -- choices

    def _meaning(self, tag: str) -> Meaning:
        kind, _, narrative = tag.partition(":")
        return Meaning(kind, narrative or None, self.claims.get(narrative))

    def _meaning_of(self, story: str, part: str) -> Meaning:
        entry = self.stories[story]
        if story in self.claims:
            kind = "hoax" if part == "spread" else part
        else:
            kind = entry.columns[0] if len(entry.columns) == 2 else "hoax_unchecked"
        return Meaning(kind, story, self.claims.get(story))

    def _spreader(self, region: str, number: int) -> Account:
        if number % 4 in (1, 2):
            return self.buzzers[(self.turn + number // 4 * 2 + number % 4) % len(self.buzzers)]
        near = [account for account in self.credulous if account.region == region]
        return self.rng.choice(near if near and self.rng.random() < 0.6 else self.credulous)

    def _someone_else(self, account: Account) -> Account:
        return self.rng.choice([other for other in self.warga if other is not account])

    def _any_time(self) -> datetime:
        day = self.rng.randrange(7)
        hour = self.rng.choices(range(24), _HOURS)[0]
        return WEEK_STARTS_AT + timedelta(days=day, hours=hour, seconds=self.rng.randrange(3600))

    def _inside_week(self, at: datetime) -> datetime:
        if at < WEEK_ENDS_AT:
            return at
        return WEEK_ENDS_AT - timedelta(minutes=self.rng.uniform(1, 120))


def slug_of(title: str) -> str:
    """A title as WordPress and Discourse write it into addresses."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:70].strip("-")


def _claim_url(entry: Entry) -> str:
    day = instant(entry.one("checked")).day
    return f"https://{HOSTS['cekfakta']}/2026/11/{day:02d}/{entry.one('slug')}/"


def _accounts() -> list[Account]:
    with (CONTENT / "accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Account(
            id=str(109_300_000 + 37 * number),
            handle=row["handle"],
            name=row["name"],
            host=row["host"] or HOSTS["mikro"],
            region=row["region"],
            role=row["role"],
            note=row["note"],
        )
        for number, row in enumerate(rows)
    ]


def shifted(world: World, days: int) -> World:
    """The same world some whole days later: the same ids, texts and addresses, only other instants."""
    if not days:
        return world
    by = timedelta(days=days)
    moved = {
        status.id: replace(status, at=status.at + by, edited_at=status.edited_at and status.edited_at + by)
        for status in world.statuses
    }
    for status in moved.values():
        status.reply_to = moved[status.reply_to.id] if status.reply_to else None
        status.reblog = moved[status.reblog.id] if status.reblog else None
    return World(
        accounts=world.accounts,
        statuses=list(moved.values()),
        topics=[
            replace(topic, comments=[replace(comment, at=comment.at + by) for comment in topic.comments])
            for topic in world.topics
        ],
        articles={
            site: [replace(article, at=article.at + by) for article in listed]
            for site, listed in world.articles.items()
        },
    )
