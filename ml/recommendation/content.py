"""What is said about titles: TF-IDF over genres, tags, people and words of the overview.

Belongs here: the vectors of titles, similarity by them, and so titles that nobody has rated. Does not belong here:
who rated what (`neighbours`). The words of a title's name are left out: they tell sequels, not taste.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import Interactions, positions, weighted
from ml.recommendation.ranking import Fitted, Scorer, of, popular_where_empty, row_slices

LISTS = ("genres", "tags", "people")
"""Columns whose every entry is one term; lists, or text divided by `|` or commas."""

DENSE_TERMS = 256
"""Up to so many terms a full matrix is faster than a sparse one: each is in many titles."""

_LARGEST_SHARE = 0.2
_FEWEST_TITLES = 2
_LEAST_DEVIATION = 1e-12


@dataclass(frozen=True)
class ItemFeatures:
    """What is said about each title.

    Attributes
    ----------
    vectors : (items, terms) csr float32
        TF-IDF, rows of length 1; empty for a title of which nothing is said.
    genres : (items, genres) csr float32
        1 where the title has the genre.
    genre_names : names of the genres, ascending.
    """

    vectors: sp.csr_array
    genres: sp.csr_array
    genre_names: tuple[str, ...]

    def of(self, columns: np.ndarray) -> "ItemFeatures":
        """Return the features of some of the titles, in this order."""
        return ItemFeatures(self.vectors[columns], self.genres[columns], self.genre_names)

    def allowed(self, genre: str) -> np.ndarray:
        """Return which titles have the genre, (items,) bool.

        Raises
        ------
        RecommendationError
            When no title has it.
        """
        names = [name.casefold() for name in self.genre_names]
        if genre.casefold() not in names:
            msg = f"no title has the genre {genre!r}; there are: {', '.join(self.genre_names)}"
            raise RecommendationError(msg)
        column = names.index(genre.casefold())
        return self.genres[:, [column]].toarray().ravel() > 0


def item_features(catalogue: pl.DataFrame, items: pl.Series) -> ItemFeatures:
    """Build the vectors of titles.

    Parameters
    ----------
    catalogue
        item_id, and any of genres, tags, people (a list, or text divided by `|` or commas) and overview (text).
        Titles that are not among `items` are ignored; of repeated ones the first stays.
    items : (items,) ids
        Titles in the order of the matrix.

    Raises
    ------
    RecommendationError
        When there is no item_id.
    """
    if "item_id" not in catalogue.columns:
        msg = f"the catalogue has no column item_id; found: {', '.join(catalogue.columns)}"
        raise RecommendationError(msg)
    known = catalogue.with_columns(pl.Series("row", positions(items, catalogue["item_id"])))
    known = known.filter(pl.col("row") >= 0).unique("row", keep="first", maintain_order=True)
    genres, names = _indicator(_entries(known, "genres"), len(items))
    terms = [_entries(known, column) for column in LISTS] + [_words(known)]
    return ItemFeatures(_tf_idf(pl.concat(terms), len(items)), genres, names)


@dataclass(frozen=True)
class FittedContent(Fitted):
    """Vectors of titles; a user is the weighted sum of the vectors of what was seen.

    Attributes
    ----------
    vectors : (items, terms) csr float32
    popularity : (items,) float32
    mean_rating : of the training data.
    """

    vectors: sp.csr_array
    popularity: np.ndarray
    mean_rating: float

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what sums the cosines to what was seen, by weight of its rating."""
        towards = (self.vectors if columns is None else self.vectors[columns]).T
        # Few terms are in most titles, and the product is full: a matrix of genres is faster as what it is.
        towards = towards.toarray() if towards.shape[0] <= DENSE_TERMS else sp.csr_array(towards)
        popularity = of(self.popularity, columns)

        def score(rows: sp.csr_array) -> np.ndarray:
            profiles = weighted(rows, self.mean_rating) @ self.vectors
            if isinstance(towards, np.ndarray):
                return popular_where_empty(profiles.toarray() @ towards, rows, popularity)
            return popular_where_empty((profiles @ towards).toarray(), rows, popularity)

        return score

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what each seen title adds to each score, (ratings, m) float32."""
        seen = weighted(rows, self.mean_rating)
        added = np.empty((seen.nnz, items.shape[1]), dtype=np.float32)
        for row, of_row in enumerate(row_slices(seen)):
            added[of_row] = (self.vectors[seen.indices[of_row]] @ self.vectors[items[row]].T).toarray()
        return added * seen.data[:, None]


@dataclass(frozen=True, eq=False)
class Content:
    """Titles like those that the user has seen, by what is said about them; also titles that nobody has rated.

    Attributes
    ----------
    features : of the same titles, in the same order, as the ratings it is trained on.
    """

    features: ItemFeatures

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedContent:  # noqa: ARG002
        """Take the vectors as they are."""
        return FittedContent(self.features.vectors, interactions.popularity, interactions.mean_rating)


def _entries(known: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return row and term of each entry of a list column, `genres:drama`."""
    if column not in known.columns:
        return _no_terms()
    entries = pl.col(column)
    if known[column].dtype == pl.String:
        entries = (
            entries.str.split(by="|")
            if known[column].str.contains(r"\|").any()
            else entries.str.split(by=",")
        )
    table = known.select("row", entries.cast(pl.List(pl.String)).alias("term")).explode("term")
    table = table.with_columns(pl.col("term").str.strip_chars())
    table = table.filter(pl.col("term").is_not_null(), pl.col("term") != "")
    return table.with_columns(field=pl.lit(column)).unique(maintain_order=True)


def _words(known: pl.DataFrame) -> pl.DataFrame:
    if "overview" not in known.columns:
        return _no_terms()
    words = pl.col("overview").cast(pl.String).str.to_lowercase().str.extract_all(r"\p{L}{3,}")
    table = known.select("row", words.alias("term")).explode("term").drop_nulls("term")
    return table.with_columns(field=pl.lit("overview"))


def _no_terms() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "term": pl.String, "field": pl.String})


def _indicator(entries: pl.DataFrame, items: int) -> tuple[sp.csr_array, tuple[str, ...]]:
    names = entries["term"].unique().sort()
    columns = positions(names, entries["term"])
    ones = np.ones(len(columns), dtype=np.float32)
    matrix = sp.csr_array(
        sp.coo_array((ones, (entries["row"].to_numpy(), columns)), shape=(items, len(names)))
    )
    return matrix, tuple(names.to_list())


def _tf_idf(terms: pl.DataFrame, items: int) -> sp.csr_array:
    """Return log(1 + count) × log(titles / titles with the term), each row scaled to length 1.

    Terms of one title only tell it from all others and say nothing of likeness; words of the overview in more
    than a fifth of titles are those of the language.
    """
    described = max(terms["row"].n_unique(), 1)
    counts = terms.group_by("row", "field", "term").len("count")
    counts = counts.with_columns(titles=pl.len().over("field", "term")).filter(
        pl.col("titles") >= _FEWEST_TITLES,
        (pl.col("field") != "overview")
        | (pl.col("titles") <= max(_LARGEST_SHARE * described, _FEWEST_TITLES)),
    )
    names = counts.select("field", "term").unique().sort("field", "term").with_row_index("column")
    counts = counts.join(names, on=["field", "term"]).sort("row", "column")
    value = counts["count"].log1p() * (1 + described / counts["titles"].cast(pl.Float64)).log()
    matrix = sp.csr_array(
        sp.coo_array(
            (value.to_numpy(), (counts["row"].to_numpy(), counts["column"].to_numpy())),
            shape=(items, names.height),
        )
    )
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.maximum(lengths, _LEAST_DEVIATION)) @ matrix).astype(np.float32)
