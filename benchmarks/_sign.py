"""Raw signatures by the key on standard input (PEM), for some seconds; prints how many a second."""

import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def main() -> None:
    """Sign what a pass's signature is over: a few attributes, about 200 bytes."""
    key = serialization.load_pem_private_key(sys.stdin.buffer.read(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    pkcs1, sha256, message = padding.PKCS1v15(), hashes.SHA256(), b"x" * 200
    done, begun = 0, time.perf_counter()
    end = begun + float(sys.argv[1])
    while time.perf_counter() < end:
        key.sign(message, pkcs1, sha256)
        done += 1
    print(done / (time.perf_counter() - begun))


if __name__ == "__main__":
    main()
