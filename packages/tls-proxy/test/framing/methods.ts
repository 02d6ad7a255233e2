/** Of every kind: with and without a body, known and unknown. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "MADE-UP"];
