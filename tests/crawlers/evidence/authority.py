"""A time stamp authority of our own: `openssl ts` behind a small HTTP server, with a root that is made for the test."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONFIG = """
[tsa]
default_tsa = tsa1
[tsa1]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
prompt = no
x509_extensions = ca
[dn]
CN = Otoritas Waktu Contoh
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """`with Authority(folder) as tsa`: `tsa.url`, `tsa.root` (PEM). `answer` replaces what is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        config = folder / "openssl.cnf"
        config.write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self.root = folder / "root.pem"
        root_key, key, asked, made = (folder / name for name in ("root.key.pem", "tsa.key.pem", "tsa.csr", "tsa.pem"))
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", config)
        _openssl("req", "-x509", *new, "-keyout", root_key, "-out", self.root, "-days", "30")
        _openssl("req", "-new", *new, "-subj", "/CN=Stempel Contoh", "-keyout", key, "-out", asked)
        signing = ("-CA", self.root, "-CAkey", root_key, "-CAcreateserial", "-days", "30")
        _openssl("x509", "-req", "-in", asked, *signing, "-extfile", config, "-extensions", "stamping", "-out", made)
        self.answer: bytes | None = None
        self.status = 200
        self.asked = 0
        self._lock = threading.Lock()
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = authority.answer if authority.answer is not None else authority.reply(body)
                authority.asked += 1
                self.send_response(authority.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tsr"

    def reply(self, request: bytes) -> bytes:
        with self._lock:
            query, out = self.folder / "query.tsq", self.folder / "reply.tsr"
            query.write_bytes(request)
            _openssl("ts", "-reply", "-config", self.folder / "openssl.cnf", "-queryfile", query, "-out", out)
            return out.read_bytes()

    def reply_for(self, file: Path) -> bytes:
        """Another good stamp for the same bytes."""
        asked = ["openssl", "ts", "-query", "-data", str(file), "-sha256", "-cert"]
        return self.reply(subprocess.run(asked, check=True, capture_output=True).stdout)

    def __enter__(self) -> Authority:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
