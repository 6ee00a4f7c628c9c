//! Worked examples with fixed keys and signatures: tokens of the four kinds and one DPoP proof.

pub(crate) const KEYS: &str = r#"{"idp":{"kty":"EC","crv":"P-256","x":"tRco1ILPV0xu83a5Lb28hrGIyz4g-f6cz2CjEJ0nwAQ","y":"nj5xuFfA5oRkp25z0qNWvI9qN2zxuaj9GeNzaiYp-5A","kid":"nw-2026-09","use":"sig","alg":"ES256"},
 "ras":{"kty":"EC","crv":"P-256","x":"V9UcMRUXcGUtLZypHcz64hlBdNk0J2Oe1-PCVsWjSCI","y":"586wHx53ZJVFVOGep985PGSNXlsbCoajM5rRzs6OC7c","kid":"lg-as-7","use":"sig","alg":"ES256"},
 "client":{"kty":"EC","crv":"P-256","x":"BZWWZV9CzrKzjHxSKCAmQmwPpUvAVvqxDh5XnuPPeQ4","y":"CfTuQcCGFS-_F0UB3X8Kz1nMA4SkImWROpbQO81z9SI","kid":"ide-key-3","use":"sig","alg":"ES256"},
 "dpop":{"kty":"EC","crv":"P-256","x":"7n3vqdLiloseEcfkBucC2eo9yeG_1HmoRKH_0K6nQR8","y":"5ywjaCbcbCMYSLs3dvscgUFjLLgBv8uMJ5KvYN5FgLc"}}"#;

pub(crate) const JAG_1: &str = concat!(
    "eyJ0eXAiOiJvYXV0aC1pZC1qYWcrand0IiwiYWxnIjoiRVMyNTYiLCJraWQiOiJudy0yMDI2LTA5In0.",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLm5vcnRod2luZC5leGFtcGxlIiwic3ViIjoibGVkZ2VyfDViN2UyMWMwOWYiLCJhdWQiOiJodHRwczovL2F1dGgubGVkZ2VyLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJpZGUtYXQtbGVkZ2VyLTc3IiwianRpIjoiamFnLTAxSjdROU0yQzRYOCIsImlhdCI6MTc4OTM4NzI2MCwiZXhwIjoxNzg5Mzg3NTYwLCJyZXNvdXJjZSI6Imh0dHBzOi8vbWNwLmxlZGdlci5leGFtcGxlL21jcCIsInNjb3BlIjoiaW52b2ljZXMucmVhZCBpbnZvaWNlcy5jb21tZW50IiwiYXV0aF90aW1lIjoxNzg5Mzg3MTk1LCJhY3IiOiJ1cm46bm9ydGh3aW5kOmFjcjptZmEiLCJhbXIiOlsicHdkIiwiaHdrIiwibWZhIl19",
    ".zNhLbwRsqle70eTJrzGa9ImyQXYeTapQf5zUy-KKDAsOM1E7IOmeUawe0_kJZUIv8GibNlqcu44YNTLF1kkLGw",
);

pub(crate) const AT_1: &str = concat!(
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImxnLWFzLTcifQ.",
    "eyJpc3MiOiJodHRwczovL2F1dGgubGVkZ2VyLmV4YW1wbGUiLCJzdWIiOiJhY2N0Xzg4MjEzIiwiYXVkIjoiaHR0cHM6Ly9tY3AubGVkZ2VyLmV4YW1wbGUvbWNwIiwiY2xpZW50X2lkIjoiaWRlLWF0LWxlZGdlci03NyIsImp0aSI6ImF0LTAxSjdROU1CN1pRMiIsImlhdCI6MTc4OTM4NzI2MSwiZXhwIjoxNzg5Mzg3ODYxLCJzY29wZSI6Imludm9pY2VzLnJlYWQgaW52b2ljZXMuY29tbWVudCIsImF1dGhfdGltZSI6MTc4OTM4NzE5NSwiYWNyIjoidXJuOm5vcnRod2luZDphY3I6bWZhIiwiYW1yIjpbInB3ZCIsImh3ayIsIm1mYSJdfQ",
    ".bZrxc9ozCmSk5tTXoGKAu7o9dW1iIa63pZiglPS-LwCoXwCPocvgL66yeQ6RHB4ggf62DxExK8zdYVuJhA0GGA",
);

pub(crate) const AT_DPOP: &str = concat!(
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImxnLWFzLTcifQ.",
    "eyJpc3MiOiJodHRwczovL2F1dGgubGVkZ2VyLmV4YW1wbGUiLCJzdWIiOiJhY2N0Xzg4MjEzIiwiYXVkIjoiaHR0cHM6Ly9tY3AubGVkZ2VyLmV4YW1wbGUvbWNwIiwiY2xpZW50X2lkIjoiaWRlLWF0LWxlZGdlci03NyIsImp0aSI6ImF0LTAxSjdROVBEM0s2ViIsImlhdCI6MTc4OTM4NzI2MSwiZXhwIjoxNzg5Mzg3ODYxLCJzY29wZSI6Imludm9pY2VzLnJlYWQgaW52b2ljZXMuY29tbWVudCIsImF1dGhfdGltZSI6MTc4OTM4NzE5NSwiYWNyIjoidXJuOm5vcnRod2luZDphY3I6bWZhIiwiYW1yIjpbInB3ZCIsImh3ayIsIm1mYSJdLCJjbmYiOnsiamt0IjoiVnRPeHo2OFl5T1hqT0tPX2RJMjFBNHRWbV9md0FBQ1pmZEFIUmU1ZEpVWSJ9fQ",
    ".lPWoGY_OCvGnziwdjac4dv9XpjHh8cZid7amFW0TeerfWHdyNzts6VTZUbx9D-jGzjTwWk4ex-rb_UvHi-yFGw",
);

pub(crate) const PROOF_RS: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4IjoiN24zdnFkTGlsb3NlRWNma0J1Y0MyZW85eWVHXzFIbW9SS0hfMEs2blFSOCIsInkiOiI1eXdqYUNiY2JDTVlTTHMzZHZzY2dVRmpMTGdCdjh1TUo1S3ZZTjVGZ0xjIn19.",
    "eyJqdGkiOiJwLTcxYzJlOSIsImh0bSI6IlBPU1QiLCJodHUiOiJodHRwczovL21jcC5sZWRnZXIuZXhhbXBsZS9tY3AiLCJpYXQiOjE3ODkzODcyOTAsImF0aCI6IktoLWRLcnQ0bUI5NlB3WHpIckpLanVVQUQwNUg3VGFxaEJaSGI1cEpybGMifQ",
    ".ZmfzpypS4bLurv_hU4z3TpQfp1WtQz2YM1pUdOf314SHsvH0MjT94PSdVeylFHJVMJvdyF7ztKndn4w3O4rCBQ",
);

pub(crate) const CA_CIMD: &str = concat!(
    "eyJ0eXAiOiJjbGllbnQtYXV0aGVudGljYXRpb24rand0IiwiYWxnIjoiRVMyNTYiLCJraWQiOiJpZGUta2V5LTMifQ.",
    "eyJpc3MiOiJodHRwczovL2lkZS5jb250b3NvLmV4YW1wbGUvb2F1dGgvY2xpZW50Lmpzb24iLCJzdWIiOiJodHRwczovL2lkZS5jb250b3NvLmV4YW1wbGUvb2F1dGgvY2xpZW50Lmpzb24iLCJhdWQiOiJodHRwczovL2F1dGgubGVkZ2VyLmV4YW1wbGUiLCJqdGkiOiJjYS01ZjEwZDIiLCJpYXQiOjE3ODkzODcyNjAsImV4cCI6MTc4OTM4NzMyMH0",
    ".n8Hm-7RLO_KXWGMUxqaQC8XHABnkwaOKXw304GZlssJfk7r2M-VERrGvDWC2Re4EEHaRo3k16O_jj_QncOic8w",
);
