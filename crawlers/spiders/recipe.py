"""Any site with a list of items, read by the recipe of its entry: as a feed, with its articles."""

from __future__ import annotations

from ..archive import Fetch
from ..pages.items import Item, ProblemItem
from ..pages.recipe import read_article, read_list
from .feed import Feed


class ByRecipe(Feed):
    name = "recipe"

    def read(self, kind: str, fetch: Fetch) -> list[Item]:
        recipe = self.source.recipe
        if recipe is None or (kind == "article" and recipe.article is None):
            return super().read(kind, fetch)
        page = self.page_of(fetch)
        items: list[Item] = []
        try:
            if kind == "article" and recipe.article is not None:
                items += read_article(page, recipe.article)
            else:
                items += read_list(page, recipe)
        except (
            Exception
        ) as error:  # a page is hostile input: one that breaks its reader is a problem of that page alone
            items.append(ProblemItem(f"page cannot be read further: {type(error).__name__}: {error}", page.url))
        return items
