/** A CA certificate in PEM, for specs. */

/** Expired, and issued for nobody: specs only need a certificate that can be parsed. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBbjCCAROgAwIBAgIUM2mXlR3sfavXdF/ftRt1kf6lO0kwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjYyMzQxMzRaFw0yNjExMjcyMzQxMzRaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQl9ypnMuvkQzYn
s7wKZkqpQXxOVcmfRHkTVaRae+wfRPymiiG57dc3V15ya9QMuYCZWrTFfq/vKBch
pDsmnSNQo1MwUTAdBgNVHQ4EFgQUtunAavNPQ6BuMapO4AdpW7AUjFowHwYDVR0j
BBgwFoAUtunAavNPQ6BuMapO4AdpW7AUjFowDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNJADBGAiEA0/ci1yPdKO0OEx9W/PdK2tUhPPRSuZ/XRf+s33qJL10C
IQDMFO4I5ivEVD1gNJF2snn3Yw7FAzcDQkHvtJ9McFY58Q==
-----END CERTIFICATE-----
`;
