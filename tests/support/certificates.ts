import { cert, key } from "../rpc/self_signed.ts";

/** A certificate and its private key, as PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** A certificate for `localhost` and 127.0.0.1 that nobody trusts, made for tests, used nowhere else. */
export const OLD: CertifiedKey = { cert, key };

/** Another such one, with a key of its own. */
export const RENEWED: CertifiedKey = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBYzCCAQqgAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKHFQ62XbUg6vfKk
nteYYGumxIm+Upka1AXqwoDQJiQI41jsBr52AzjBrp6+td5TSR1oUKHaZkc9Cw6D
4gACOW2jSzBJMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAMBgNVHRMBAf8E
AjAAMB0GA1UdDgQWBBQiYr3jCA/h5G/jceFVu3AO5Sm0NzAKBggqhkjOPQQDAgNH
ADBEAiA+dMsoKF8+i7GzXU9Xc7nauI3UOrCtZnZghPAIStp/awIgM4rJACvvnsEy
ODoSXmLxYRHgPZKq/hf0JMBOX13S2hA=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5NeI1G8LAeCb3Jd0
BGEqMyRjOXVWBr+7h2WYXya4/PKhRANCAAShxUOtl21IOr3ypJ7XmGBrpsSJvlKZ
GtQF6sKA0CYkCONY7Aa+dgM4wa6evrXeU0kdaFCh2mZHPQsOg+IAAjlt
-----END PRIVATE KEY-----
`,
};
