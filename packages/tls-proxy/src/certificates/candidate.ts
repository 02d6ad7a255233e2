import { type CertificatePair, loadCertificatePair, type PairOptions, validityProblem } from "./certificate.ts";

/** A pair that is to be served, if it is good. */
export interface Candidate {
  /** The same at every look. */
  readonly id: string;
  /** Asked for by the user, and not just found: without it there is no start. */
  readonly isNamed: boolean;
  /** @param known what it gave before */
  readonly load: (known: CertificatePair | undefined) => Promise<CertificatePair>;
}

/** @param foundBy what names the files where the user didn't */
export function candidateOf(cert: string, key: string, foundBy?: PairOptions): Candidate {
  const load = (known: CertificatePair | undefined) => loadCertificatePair(cert, key, foundBy, known);
  return { id: JSON.stringify([cert, key]), isNamed: foundBy === undefined, load };
}

/** Pairs by the id of their candidates, in order. */
export type PairsById = ReadonlyMap<string, CertificatePair>;

/**
 * Loads every candidate. One that is bad leaves what it gave before in force, and doesn't touch the others.
 * @param known what is in force; nothing at the start
 * @returns what is in force from now on, and what was refused
 * @throws what is wrong with one that the user named, at the start
 */
export async function takeUp(
  candidates: readonly Candidate[],
  known: PairsById | undefined,
  now: Date,
): Promise<{ pairs: PairsById; refused: unknown[] }> {
  const pairs = new Map<string, CertificatePair>();
  const refused: unknown[] = [];
  for (const { id, isNamed, load } of candidates) {
    const before = known?.get(id);
    try {
      const pair = await load(before);
      const isNews = known !== undefined && pair.fingerprint !== before?.fingerprint;
      const problem = isNews ? validityProblem(pair, now, "is not put in force") : undefined;
      if (problem) throw problem;
      pairs.set(id, pair);
    } catch (error) {
      if (known === undefined && isNamed) throw error;
      refused.push(error);
      if (before) pairs.set(id, before);
    }
  }
  return { pairs: pairs.size > 0 ? pairs : (known ?? pairs), refused };
}
