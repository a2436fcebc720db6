"""Generated documents with varied names, descriptions, folders and tags; the same in each run.

At every size, `HITS` documents match each case with a fixed number of matches. They are spread evenly over the history.
"""

from dataclasses import dataclass
from random import Random

HITS = 500

HIT_FOLDER = "/hits"
HIT_TAG = "hit"
HIT_WORD = "tramonest"
"""A word that only the hits contain, made of syllables that many documents contain. `MISSED_WORD` is made in the same
way, and no document contains it.
"""
MISSED_WORD = "grapelound"
MISSED_PIECE = "qq"
HIT_MIME_TYPE = "application/x-hit"
OLD_TAG = "old"
"""The tag of the oldest documents."""

MANY_FOLDER = "/archive"
TREE_FOLDER = "/tree"
"""A folder without documents and with many subfolders, in the databases that are changed."""
MANY_TAG = "common"
MANY_MIME_TYPE = "application/pdf"
IN_ROOT, IN_MANY_FOLDER, WITH_MANY_TAG = 0.05, 0.10, 0.20

_ONSETS = ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "br", "ch", "gr", "pl", "st", "tr"]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_ENDS = ["", "", "d", "l", "n", "r", "s", "t", "nd", "ng", "st"]
_WORDS, _SENTENCES, _TAGS = 3000, 1000, 300
_KINDS = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a document that a client would send."""

    name: str
    description: str | None
    mime_type: str
    folder: str | None
    tags: tuple[str, ...]


class Corpus:
    """A sequence of documents. A corpus of `size` has hits among its first `size` documents and none later."""

    def __init__(self, size: int) -> None:
        self._random = Random(6)  # noqa: S311  not for secrets
        self._words = self._vocabulary()
        self.many_word = self._words[0]
        self._sentences = [" ".join(self._word() for _ in range(12)) + "." for _ in range(_SENTENCES)]
        self._tags = self._random.sample(self._words, _TAGS)
        self._hit_folders = [HIT_FOLDER, *(f"{HIT_FOLDER}/{word}" for word in self._words[:9])]
        self._many_folders = self._tree(MANY_FOLDER)
        self._other_folders = [
            folder for word in self._random.sample(self._words, 19) for folder in self._tree(f"/{word}")
        ]
        self._kinds = {number * size // HITS + kind: kind for number in range(HITS) for kind in range(_KINDS)}
        self._next = 0

    @property
    def folders(self) -> list[str]:
        """Return all folders, about a thousand."""
        return [*self._hit_folders, *self._many_folders, *self._other_folders]

    def kind(self, number: int) -> int | None:
        """Return the kind of hit that the document of this number is, if it is one. 0 is the folder."""
        return self._kinds.get(number)

    def next(self) -> Facts:
        """Return the next document."""
        number, random, chance = self._next, self._random, self._random.random
        self._next += 1
        name, mime_type = self._name()
        tags = dict.fromkeys((random.choice(self._tags), random.choice(self._tags)))
        tags[MANY_TAG if chance() < WITH_MANY_TAG else random.choice(self._tags)] = None
        if number < HITS:
            tags[OLD_TAG] = None
        place = chance()
        folders = self._many_folders if place < IN_ROOT + IN_MANY_FOLDER else self._other_folders
        folder = None if place < IN_ROOT else random.choice(folders)
        match self._kinds.get(number):
            case 0:
                folder = random.choice(self._hit_folders)
            case 1:
                tags[HIT_TAG], mime_type = None, MANY_MIME_TYPE
            case 2:
                name = f"{HIT_WORD.title()} {name}"
            case 3:
                mime_type = HIT_MIME_TYPE
        return Facts(name, self._description(), mime_type, folder, tuple(tags))

    def _vocabulary(self) -> list[str]:
        choice = self._random.choice
        words: dict[str, None] = {}
        while len(words) < _WORDS:
            syllables = "".join(choice(_ONSETS) + choice(_VOWELS) for _ in range(choice((2, 2, 3))))
            word = syllables + choice(_ENDS)
            if HIT_WORD not in word and MISSED_WORD not in word:
                words[word] = None
        return list(words)

    def _word(self) -> str:
        # A few words are in many documents, most words in few.
        return self._words[int(_WORDS * self._random.random() ** 2.5)]

    def _name(self) -> tuple[str, str]:
        chance = self._random.random()
        number = f"{self._random.getrandbits(32):08x}"
        first, second = self._word(), self._word()
        if chance < 0.5:
            return f"{first.title()} {second} {self._word()} {number[:4]}.pdf", MANY_MIME_TYPE
        if chance < 0.7:
            return f"{first}-{second}-{number}.docx", "application/msword"
        if chance < 0.85:
            return f"{first.title()}_{2015 + self._random.randrange(11)}_{second}.xlsx", "application/vnd.ms-excel"
        return f"IMG_{self._random.randrange(10**8):08}_{first}.jpg", "image/jpeg"

    def _description(self) -> str | None:
        chance = self._random.random()
        if chance < 0.6:
            return None
        sentences = 1 if chance < 0.9 else 8 if chance < 0.995 else 40
        return "\n".join(self._random.choice(self._sentences) for _ in range(sentences))[:4000]

    def _tree(self, top: str) -> list[str]:
        """Return a folder with 7 subfolders, of which each has 6: 50 folders."""
        below = [f"{top}/{word}" for word in self._random.sample(self._words, 7)]
        return [top, *below, *(f"{folder}/{word}" for folder in below for word in self._random.sample(self._words, 6))]
