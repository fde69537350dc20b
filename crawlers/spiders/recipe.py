"""Any site with a list of items, read by the recipe of its entry: as a feed, with its articles."""

from __future__ import annotations

from typing import Any

from ..archive import Fetch
from ..pages.items import Item, LinkItem, ProblemItem
from ..pages.recipe import read_article, read_list
from ..recipe import ArticleRecipe, Recipe
from .feed import Feed


class ByRecipe(Feed):
    name = "recipe"

    async def items_of(self, kind: str, fetch: Fetch) -> list[Item]:
        recipe = self.source.recipe
        if recipe is None:
            return await super().items_of(kind, fetch)
        if kind != "article":
            return self._by(read_list, recipe, fetch)
        if recipe.article:
            items = self._by(read_article, recipe.article, fetch)
        else:
            items = await super().items_of("article", fetch)
        if recipe.claims:
            claims = await super().items_of("claimreview", fetch)
            items += [item for item in claims if not isinstance(item, LinkItem)]
        return items

    def _by(self, reader: Any, recipe: Recipe | ArticleRecipe, fetch: Fetch) -> list[Item]:
        page = self.page_of(fetch)
        items: list[Item] = []
        try:
            for item in reader(page, recipe):
                items.append(item)
        except (
            Exception
        ) as error:  # a page is hostile input: one that breaks its reader is a problem of that page alone
            items.append(ProblemItem(f"page cannot be read further: {type(error).__name__}: {error}", page.url))
        return items
