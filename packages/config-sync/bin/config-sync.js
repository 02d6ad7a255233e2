#!/usr/bin/env node
// The probe is asked often: it loads nothing but node:net.
await import(process.argv[2] === "healthcheck" ? "#healthcheck" : "#cli");
