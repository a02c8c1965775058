// Receipts: eight words of four letters, seven of chance and one to check; the twin of commonbeat/tips/syllables.py and
// receipts.py.
import { derive, pairFromSeed, utf8 } from "./keys.js";

const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aiou";
const CHANCE_WORDS = 7;
const WORD_LETTERS = 4;
const AS_CONSONANT = { i: "l", 1: "l", c: "k", q: "g", 9: "g", 6: "b", 8: "b", 5: "s", 2: "z", w: "v", u: "v" };
const AS_VOWEL = { e: "i", y: "i", j: "i", l: "i", 1: "i", ı: "i", 0: "o", v: "u", 4: "a" };
const UNWANTED = new Set(
  (
    "fuka fuki fuku gaza homo kaka kaki kari kusi kuso kusu muti nazi niga nigu nika niki pidi pipi pisi pula puli pusi " +
    "puta puti puto sisa sisi suka suki titi tizi zibi zubi"
  ).split(" "),
);

export class Misspelt extends Error {
  // word: the number, from 1, of the one that is wrong; null if only the check tells.
  constructor(word = null) {
    super("these words are misspelt");
    this.word = word;
  }
}

const wordOf = (value) => CONSONANTS[value >> 8] + VOWELS[(value >> 6) & 3] + CONSONANTS[(value >> 2) & 15] + VOWELS[value & 3];

function valueOf([first, second, third, fourth]) {
  return (CONSONANTS.indexOf(first) << 8) | (VOWELS.indexOf(second) << 6) | (CONSONANTS.indexOf(third) << 2) | VOWELS.indexOf(fourth);
}

const checkOf = (values) => values.reduce((sum, value, place) => sum + (2 * place + 1) * value, 0) % 4096;

export const split = (letters) => letters.match(/.{1,4}/g) ?? [];

export const show = (receipt) => split(receipt).join("-");

function lettersIn(text) {
  if (text.length > 1000) throw new Misspelt();
  return text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function meant(letters) {
  return [...letters]
    .map((letter, place) => {
      const [own, others] = place % 2 ? [VOWELS, AS_VOWEL] : [CONSONANTS, AS_CONSONANT];
      const found = own.includes(letter) ? letter : others[letter];
      if (!found) throw new Misspelt(Math.floor(place / WORD_LETTERS) + 1);
      return found;
    })
    .join("");
}

export function newReceipt() {
  for (;;) {
    // 65,536 is a multiple of 4,096: every word is as likely as another.
    const values = [...crypto.getRandomValues(new Uint16Array(CHANCE_WORDS))].map((value) => value & 4095);
    const words = [...values, checkOf(values)].map(wordOf);
    if (!words.some((word) => UNWANTED.has(word))) return words.join("");
  }
}

export function read(typed) {
  const letters = lettersIn(typed);
  if ([...letters].length !== (CHANCE_WORDS + 1) * WORD_LETTERS) throw new Misspelt();
  const canonical = meant(letters);
  const values = split(canonical).map(valueOf);
  if (checkOf(values.slice(0, -1)) !== values.at(-1)) throw new Misspelt();
  return canonical;
}

export function isWordOf(receipt, typed) {
  try {
    return split(receipt).includes(meant(lettersIn(typed)));
  } catch {
    return false;
  }
}

export const lookUp = (receipt) => derive("commonbeat tip v1 look-up", utf8(receipt));

export const sourcePair = (receipt) => pairFromSeed(derive("commonbeat tip v1 source key", utf8(receipt)));
