/**
 * A Korean particle follows the sound that the word before it ends in: 레이어를, 채널을. A translation writes both forms, 을(를), as its
 * values come later; where a value ends in Hangul or a digit its sound is known and one form remains. Behind other signs both stay.
 */

/** @param before what the particle follows. @param after text that may begin with a particle in both forms. @returns `after` with the form that fits. */
export function withParticle(before: string, after: string): string {
  const pair = pairs.find(({ both }) => after.startsWith(both));
  if (!pair) return after;
  const end = endOf(before);
  if (end === undefined) return after;
  const isOpen = end === 'open' || (end === 'liquid' && pair.both === '(으)로');
  return (isOpen ? pair.open : pair.closed) + after.slice(pair.both.length);
}

const pairs = [
  { both: '을(를)', closed: '을', open: '를' },
  { both: '은(는)', closed: '은', open: '는' },
  { both: '이(가)', closed: '이', open: '가' },
  { both: '와(과)', closed: '과', open: '와' },
  { both: '(으)로', closed: '으로', open: '로' },
  { both: '(이)라', closed: '이라', open: '라' },
] as const;

/** How a word ends: in a vowel, in ㄹ, or in another consonant; undefined where its letters do not say. */
function endOf(word: string): 'open' | 'liquid' | 'closed' | undefined {
  const sign = word.replace(/["'”’)\]]+$/, '').at(-1) ?? '';
  if (/\d/.test(sign)) return digitEnds[Number(sign)];
  if (!/[가-힣]/.test(sign)) return undefined;
  const final = (sign.charCodeAt(0) - firstSyllable) % finals;
  return final === 0 ? 'open' : final === liquid ? 'liquid' : 'closed';
}

/** As digits are read: 영 일 이 삼 사 오 육 칠 팔 구. Tens, hundreds and thousands end in a consonant as 영 does. */
const digitEnds = ['closed', 'liquid', 'open', 'closed', 'open', 'open', 'closed', 'liquid', 'liquid', 'open'] as const;

/** Hangul syllables stand in Unicode in the order of their final sounds, 28 of them, none first and ㄹ ninth. */
const firstSyllable = 0xac00;
const finals = 28;
const liquid = 8;
