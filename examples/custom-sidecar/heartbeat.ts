import { type Secret, defineErrors, defineSidecar, repeat } from "@pillion/kit";

const errors = defineErrors({ BEAT_REFUSED: "The receiver answered, but not with success." });

/** Tells a receiver every few seconds that this pod is alive. */
export const heartbeat = defineSidecar(
  "heartbeat",
  {
    url: { type: "url", required: true, help: "Where beats are sent." },
    every: { type: "duration", default: "10s", min: 100, help: "Time between two beats." },
    token: { type: "secret", help: "Bearer token for the receiver." },
  },
  ({ url, every, token }) => ({
    async start({ signal, metrics, health }) {
      const beats = metrics.counter("beats_total", "Beats by outcome.", ["outcome"]);
      const loop = repeat(every, { signal, health }, async () => {
        const { ok, status } = await fetch(url, { method: "POST", headers: authorization(token), signal });
        beats.inc({ outcome: ok ? "ok" : "refused" });
        if (ok) return;
        const remedy = "Check its token and its log";
        throw errors.BEAT_REFUSED({ subject: "receiver", value: url.href, reason: `it answered ${status}`, remedy });
      });
      return { stop: () => loop, reload: () => loop.now() };
    },
  }),
);

function authorization(token: Secret | undefined): Record<string, string> {
  return token ? { Authorization: `Bearer ${token.reveal()}` } : {};
}
