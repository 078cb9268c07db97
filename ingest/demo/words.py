"""Invented names, titles and plots.

Belongs here: word lists and the sentences made of them, for every file of the world.
Does not belong here: numbers, ids and file layouts. Every title holds an invented place or surname, so
that none of them is the title of a real film.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")


class Picks:
    """A row of random numbers, used up one by one: choices without a call to a generator for each."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = iter(numbers)

    def one(self, words: Sequence[T]) -> T:
        """Pick one of the words."""
        return words[next(self._numbers) % len(words)]

    def some(self, words: Sequence[T], most: int) -> list[T]:
        """Pick 1 to `most` different words."""
        wanted = 1 + next(self._numbers) % most
        return list(dict.fromkeys(self.one(words) for _ in range(wanted)))

    def chance(self, share: float) -> bool:
        """Be true in `share` of the cases."""
        return next(self._numbers) % 100_000 < share * 100_000

    def number(self, below: int) -> int:
        """Pick a whole number from 0 to `below` - 1."""
        return next(self._numbers) % below

    def code(self, length: int) -> str:
        """Make a code of letters and digits, such as the file name of a poster."""
        letters: list[str] = []
        while len(letters) < length:
            number = next(self._numbers)
            for _ in range(4):
                number, digit = divmod(number, len(_CODE))
                letters.append(_CODE[digit])
        return "".join(letters[:length])


PICKS_PER_TEXT: Final = 80
"""Random numbers that the texts of one film or catalogue entry may use up, with room to spare."""

_CODE: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

_PLACE_STARTS: Final = (
    "Vell", "Orrin", "Thrask", "Kessel", "Ilmar", "Drenn", "Quorl", "Ynnis", "Marrow", "Zephar", "Ulvast",
    "Brynd", "Corvish", "Élmor", "Ångsel", "Ñandir", "Østrel", "Çalvor", "Szelm", "Harrowb", "Tolvas",
    "Fenwr", "Grauld", "Lisken", "Pellam", "Rhov", "Skarn", "Wendelm", "Isquel", "Obrest", "Mâlvern",
    "Dûnmar", "Aurv", "Belthor", "Cindrel", "Dovrask", "Eskvar", "Fjolm", "Gellant", "Hysp", "Ivrond",
    "Jorvash", "Kravell", "Lorquin", "Mirvask", "Nethrow", "Ombrel", "Prython", "Quessar", "Rostvel",
    "Sylvask", "Tarnquist", "Umbrask", "Vorlind", "Whelmsk", "Xyrand", "Yvorn", "Zalquor", "Brûmel",
    "Crônast", "Tévarn", "Plöthen", "Hrávesk", "Smådal",
)  # fmt: skip
_PLACE_ENDS: Final = (
    "oor", "ara", "haven", "eth", "mark", "ôme", "ille", "grad", "ova", "wyck", "ünde", "aski", "ión", "holm",
    "essa", "ury", "amba", "ith", "adale", "emont", "insk", "orra",
)  # fmt: skip
PLACES: Final = tuple(start + end for start in _PLACE_STARTS for end in _PLACE_ENDS)

SURNAMES: Final = (
    "Aldermoor", "Brannoqui", "Castellune", "Dravenholt", "Eskerby", "Fontévral", "Grimsaddle", "Hollowaye",
    "Ivarsköld", "Jessamund", "Kaldwright", "Lindqvorn", "Mirabeaux", "Nørvang", "Okonjima", "Pavlisek",
    "Quillfeather", "Rosenthrall", "Sørmund", "Tamazuki", "Underlaw", "Vantongeren", "Wexcombe", "Xantheaux",
    "Yarborne", "Zelinkova", "Arquímedos", "Bálintfy", "Cîrstescu", "Devarajul", "Ekwensile", "Farrukhzai",
)  # fmt: skip
FIRST_NAMES: Final = (
    "Ada", "Bram", "Chidi", "Dagny", "Emil", "Farah", "Gustav", "Hana", "Ines", "Jonas", "Kaia", "Leopold",
    "Maren", "Nadia", "Otis", "Priya", "Quentin", "Renée", "Soren", "Tilda", "Umar", "Vera", "Wanda", "Zoë",
)  # fmt: skip

_ADJECTIVES: Final = (
    "Last", "Silent", "Burning", "Crooked", "Forgotten", "Gilded", "Hollow", "Invisible", "Midnight", "Paper",
    "Restless", "Second", "Tall", "Unlikely", "Velvet", "Wandering", "Winter", "Ordinary",
)  # fmt: skip
_NOUNS: Final = {
    "Action": ("Siege", "Convoy", "Pursuit", "Strike", "Getaway"),
    "Adventure": ("Expedition", "Map", "Voyage", "River", "Lighthouse"),
    "Animation": ("Kite", "Button", "Moonbeam", "Teapot", "Paintbrush"),
    "Comedy": ("Wedding", "Umbrella", "Mistake", "Lodger", "Holiday"),
    "Crime": ("Alibi", "Ledger", "Heist", "Witness", "Verdict"),
    "Documentary": ("Archive", "Harbour", "Season", "Workshop", "Orchard"),
    "Drama": ("Daughter", "Letter", "Promise", "House", "Silence"),
    "Family": ("Puppy", "Treehouse", "Birthday", "Snowman", "Bakery"),
    "Fantasy": ("Dragon", "Wizard", "Crown", "Thorn", "Mirror"),
    "Foreign": ("Courtyard", "Balcony", "Bicycle", "Garden", "Station"),
    "History": ("Treaty", "Regent", "Revolt", "Chronicle", "Cathedral"),
    "Horror": ("Crypt", "Cellar", "Scream", "Asylum", "Scarecrow"),
    "Music": ("Quartet", "Ballad", "Encore", "Drummer", "Overture"),
    "Mystery": ("Clue", "Stranger", "Cipher", "Disappearance", "Locked Room"),
    "Romance": ("Kiss", "Bouquet", "Waltz", "Engagement", "Valentine"),
    "Science Fiction": ("Orbit", "Android", "Signal", "Colony", "Paradox"),
    "Thriller": ("Hostage", "Informant", "Trap", "Countdown", "Double"),
    "TV Movie": ("Neighbour", "Secret", "Nanny", "Reunion", "Inheritance"),
    "War": ("Trench", "Regiment", "Bridge", "Armistice", "Squadron"),
    "Western": ("Saddle", "Stagecoach", "Marshal", "Canyon", "Homestead"),
}  # fmt: skip
_ANY_NOUNS: Final = ("Thing", "Afternoon", "Distance", "Corner", "Number")

_TITLES: Final = (
    "The {noun} of {place}", "The {adjective} {noun} of {place}", "{first} {name}'s {noun}", "{place}",
    "{adjective} {place}", "{place}: The {adjective} {noun}", "A {noun} for {first} {name}",
    "{first} Returns to {place}", "Goodbye {place}, Goodbye {first}", "{first} {name} & {other}",
    "{name}, {other} and the {noun}", "{place} {roman}", 'The "{noun}" of {place}', "The {noun} at {place}",
    "Who Remembers {first} of {place}?", "{place}, {year}",
)  # fmt: skip
_ROMAN: Final = ("II", "III", "IV", "2")

_ORIGINAL_TITLES: Final = {
    "fr": ("Le secret de {place}", "L'été à {place}", "Les amants de {place}", "{name}, la nuit"),
    "it": ("La ragazza di {place}", "Il ritorno di {name}", "Perché {name}?"),
    "de": ("Die Brücke von {place}", "{name} räumt auf", "Grüße aus {place}"),
    "es": ("El corazón de {place}", "Adiós, {name}", "La niña de {place}"),
    "ja": ("{place}の月", "さよなら{name}"),
    "ru": ("Тайна {place}", "{name} возвращается"),
    "sv": ("Sommaren på {place}", "{name} åker hem"),
    "pt": ("O coração de {place}", "A irmã de {name}"),
}

_OPENINGS: Final = (
    "{first} {name}, {job}, comes home to {place} after {years} years and finds nothing where it was.",
    "When the only bridge to {place} falls, {first} {name}, {job}, is left with strangers and one suitcase.",
    "In {place}, {job} named {first} {name} receives a letter addressed to somebody who has the same face.",
    "{first} {name} has {years} days to sell the family's {noun} before {place} is put on the map.",
    "Everyone in {place} knows {first} {name}; nobody knows why {first} never sleeps -- until winter comes.",
)
_MIDDLES: Final = (
    "With the help of {other}, who has never told the truth, {first} sets out.",
    'The townspeople call it "the {adjective} {noun}" and will not say more.',
    "Meanwhile, in the harbour, an old {noun} is waiting; so is {other}.",
    "What begins as a joke soon costs more than {first} can pay...",
    "It's a small town, but it isn't a quiet one.",
)
_ENDINGS: Final = (
    "Nobody leaves {place} the way they came.",
    "A story about patience, bread and second chances.",
    "Only one of them can keep the promise.",
    "And then, against all advice, it rains.",
)
_JOBS: Final = (
    "a clockmaker", "a retired diver", "a substitute teacher", "a lighthouse keeper", "an unlucky detective",
    "a piano tuner", "a night nurse", "an apprentice baker", "a cartographer", "a ferry pilot",
)  # fmt: skip
_TAGLINES: Final = (
    "Some doors are painted on.", "Not every map wants to be read.", "He came for the {noun}. It stayed.",
    "This summer, {place} won't sleep.", "Love is a question of timing.", "Count the stairs.",
    'They said "never". She said "Tuesday".', "Nobody waves in {place}.", "The truth is only the beginning.",
)  # fmt: skip

_COMPANY_FORMS: Final = (
    "{} Pictures",
    "{} & Daughters",
    "O'{} Films",
    "L'Atelier {}",
    "{} Film Group",
    "Studio {}",
)
COMPANIES: Final = tuple(
    (form.format(name), 4_001 + 37 * (i * len(SURNAMES) + j))
    for i, form in enumerate(_COMPANY_FORMS)
    for j, name in enumerate(SURNAMES)
)
"""Invented companies with their ids; some have an apostrophe, which Python writes in double quotes."""


class Film:
    """The invented names of one film, used alike in its title, its plot and its tagline."""

    def __init__(self, picks: Picks, genre: str | None, year: int) -> None:
        self._picks = picks
        self._names = {
            "place": picks.one(PLACES),
            "name": picks.one(SURNAMES),
            "other": picks.one(SURNAMES),
            "first": picks.one(FIRST_NAMES),
            "adjective": picks.one(_ADJECTIVES),
            "noun": picks.one(_ANY_NOUNS if genre is None else _NOUNS[genre]),
            "roman": picks.one(_ROMAN),
            "job": picks.one(_JOBS),
            "years": str(3 + picks.number(38)),
            "year": str(year),
        }

    def title(self) -> str:
        """Make a title in English."""
        return self._say(_TITLES)

    def original_title(self, language: str, title: str) -> str:
        """Make a title in the film's language, or repeat the English one where that is all we have."""
        forms = _ORIGINAL_TITLES.get(language)
        return self._say(forms) if forms else title

    def plot(self) -> str:
        """Make two or three sentences, sometimes over several lines."""
        between = "\r\n " if self._picks.chance(0.06) else " "
        sentences = [self._say(_OPENINGS), self._say(_MIDDLES)]
        if self._picks.chance(0.6):
            sentences.append(self._say(_ENDINGS))
        plot = between.join(sentences)
        return plot[0].upper() + plot[1:]

    def tagline(self) -> str:
        """Make a line for the poster."""
        return self._say(_TAGLINES)

    def _say(self, forms: Sequence[str]) -> str:
        return self._picks.one(forms).format_map(self._names)
