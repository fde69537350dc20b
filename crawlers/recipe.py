"""How to read a site that no spider knows: where in a page its items are, and in each item its parts. Data, checked when it is loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from parsel import Selector
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

MOST_CHARS = 500
"""Longest selector. Real ones stay under 100."""


def _is_css(value: str) -> str:
    try:
        Selector(text="<html></html>", type="html").css(value)
    except (SyntaxError, RuntimeError, ValueError) as error:
        raise ValueError(f"{value!r} is no CSS selector: {error}") from error
    return value


def _is_jmespath(value: str) -> str:
    try:
        Selector(text="{}", type="json").jmespath(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no JMESPath: {' '.join(str(error).split())}") from error
    return value


Expression = Annotated[str, Field(min_length=1, max_length=MOST_CHARS)]
Css = Annotated[Expression, AfterValidator(_is_css)]
"""A CSS selector, with `::attr(NAME)` or `::text` at its end where not the whole element is meant."""


class ArticleRecipe(BaseModel):
    """The parts of the page that an item leads to. Without it a general extractor reads the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Css | None = None
    text: Css
    time: Css | None = None
    author: Css | None = None


class Recipe(BaseModel):
    """Selectors are CSS for `format: html`, JMESPath (https://jmespath.org) for `format: json`; those of the parts begin at the item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["html", "json"] = "html"
    items: Expression
    """Each post or each teaser of an article."""
    link: Expression | None = None
    """The item's own address. HTML without it: the item if it is a link, else the first link in it."""
    title: Expression | None = None
    """HTML without it: the words of the link."""
    text: Expression | None = None
    time: Expression | None = None
    author: Expression | None = None
    next: Expression | None = None
    """The address of the next page of the list."""
    article: ArticleRecipe | None = None
    claims: bool = False
    """Whether the pages behind the items are fact-checks, whose claims are read too."""

    @field_validator("items", "link", "title", "text", "time", "author", "next")
    @classmethod
    def _can_be_read(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        return _is_jmespath(value) if info.data.get("format") == "json" else _is_css(value)
