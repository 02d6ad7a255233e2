import type { Address } from "@pillion/kit";
import { httpsLocation } from "./https-location.ts";
import { secureCookie } from "./secure-cookie.ts";

/** Works on a field's value, a latin1 string without the white space around it; never throws. */
type Rewrite = (value: string, host: string) => string;

/** A field that every answer over TLS gets, the proxy's own answers too, unless the app sends one of that name. */
interface Addition {
  readonly name: string;
  readonly lowerCaseName: string;
  readonly value: string;
}

/** What is changed in the app's answers because the client speaks https and the app doesn't know. */
export interface AnswerRules {
  /** What to do with the values of a field, or nothing: so that a relay of bytes decodes only the few that change. */
  rewrites(lowerCaseName: string): Rewrite | undefined;
  readonly additions: readonly Addition[];
}

/** Answers stay as they are. */
export const NO_RULES: AnswerRules = { rewrites: () => undefined, additions: [] };

export interface AnswerOptions {
  /** How long browsers are to use https alone, milliseconds. 0 takes it back; undefined says nothing. */
  readonly hsts: number | undefined;
  readonly hstsIncludeSubdomains: boolean;
  readonly repair: "all" | "cookies" | "location" | "none";
  /** Where the app listens. */
  readonly app: Address;
}

export function answerRules(options: AnswerOptions): AnswerRules {
  const rewrites = rewritesOf(options);
  return { rewrites: (name) => rewrites.get(name), additions: additionsOf(options) };
}

/** The app's fields, names and values in turn, by these rules. `host` is the request's. */
export function applyAnswerRules(fields: readonly string[], host: string, rules: AnswerRules): string[] {
  const names = fields.map((name, index) => (index % 2 === 0 ? name.toLowerCase() : ""));
  const rewritten = fields.map((value, index) =>
    index % 2 === 0 ? value : (rules.rewrites(names[index - 1] ?? "")?.(value, host) ?? value),
  );
  const added = rules.additions.filter(({ lowerCaseName }) => !names.includes(lowerCaseName));
  return [...rewritten, ...added.flatMap(({ name, value }) => [name, value])];
}

function rewritesOf({ repair, app }: AnswerOptions): ReadonlyMap<string, Rewrite> {
  const rewrites = new Map<string, Rewrite>();
  if (repair === "all" || repair === "cookies") rewrites.set("set-cookie", secureCookie);
  if (repair === "all" || repair === "location") {
    const location: Rewrite = (value, host) => httpsLocation(value, host, app);
    rewrites.set("location", location).set("content-location", location);
  }
  return rewrites;
}

/** RFC 6797 §6.1, in whole seconds. `preload` isn't offered: who wants it can have the app send the field. */
function additionsOf({ hsts, hstsIncludeSubdomains }: AnswerOptions): Addition[] {
  if (hsts === undefined) return [];
  const value = `max-age=${Math.floor(hsts / 1000)}${hstsIncludeSubdomains ? "; includeSubDomains" : ""}`;
  return [{ name: "Strict-Transport-Security", lowerCaseName: "strict-transport-security", value }];
}
