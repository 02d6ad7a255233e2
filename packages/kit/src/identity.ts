/** Who a sidecar is: what names its flags, variables, metrics and log lines, and where its probes are found. */
export interface Identity {
  /** Kebab case: `tls-proxy` gives `TLS_PROXY_…` and `tls_proxy_…`. */
  readonly name: string;
  readonly version: string;
  /** One sentence, for help. */
  readonly description: string;
  /** Default address of the admin endpoints. Sidecars share a network, so each has one of its own. */
  readonly adminListen: string;
}
