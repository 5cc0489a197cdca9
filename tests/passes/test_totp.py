import pytest

from passes.totp import step, totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "password"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_sha_1_vectors_of_rfc_6238_hold(seconds: int, password: str) -> None:
    assert totp(SECRET, seconds) == password


def test_the_vectors_of_rfc_4226_hold() -> None:
    # HOTP counts where TOTP counts steps.
    passwords = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()
    assert [totp(SECRET, 30 * count, digits=6) for count in range(10)] == passwords


def test_a_step_lasts_its_period() -> None:
    assert [step(seconds) for seconds in (0, 29, 30, 59, 60)] == [0, 0, 1, 1, 2]
    assert totp(SECRET, 60) == totp(SECRET, 89) != totp(SECRET, 90)
    assert step(59, 60) == 0


@pytest.mark.parametrize("arguments", [(-1,), (0, 0), (0, 30, 0), (0, 30, 10)])
def test_impossible_arguments_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"period|seconds|digits"):
        totp(SECRET, *arguments)
