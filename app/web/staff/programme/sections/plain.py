"""Mechanics that are a few settings each: earning, expiry, redeeming, returns."""

from app.languages import lazy
from app.web.staff.programme.forms.scalars import Choice, Number, Tick, Whole, Words
from app.web.staff.programme.forms.section import Fieldset, Plain

EARNING = Plain(
    "earning",
    lazy("Earning"),
    lazy("What a receipt earns, and from when on it can be spent."),
    (
        Fieldset(
            lazy("The rate"),
            (
                Number(
                    "points",
                    lazy("Points"),
                    lazy("With 0 only rules give points."),
                    high=999_999,
                    zero=True,
                ),
                Number("per_amount", lazy("for each full"), unit="money", high=999_999),
                Tick(
                    "carry_remainder",
                    lazy("What was too little for a point counts with the next receipt"),
                ),
                Choice(
                    "earn_on",
                    lazy("Counted is the amount"),
                    options=(("gross", lazy("with tax")), ("net", lazy("without tax"))),
                ),
                Words(
                    "excluded_categories",
                    lazy("Categories of goods that earn nothing"),
                    lazy("One a line, as the till names them: tobacco, gift cards, deposits."),
                ),
            ),
        ),
        Fieldset(
            lazy("When points can be spent"),
            (
                Whole(
                    "pending_days",
                    lazy("Pending for"),
                    lazy("As long as goods may be brought back. 0: at once."),
                    high=366,
                    unit=lazy("days"),
                ),
                Tick("pending_until_confirmed", lazy("Pending until somebody confirms them")),
            ),
        ),
        Fieldset(
            lazy("Where several rules meet"),
            (
                Choice(
                    "stacking",
                    lazy("Of the promotions counts"),
                    lazy("Of several base rules the best one always counts."),
                    options=(("all", lazy("every one")), ("best", lazy("only the best one"))),
                ),
            ),
        ),
    ),
)

EXPIRY = Plain(
    "expiry",
    lazy("Expiry"),
    lazy("How long points last."),
    (
        Fieldset(
            None,
            (
                Choice(
                    "expiry_mode",
                    lazy("Points expire"),
                    options=(
                        ("fixed", lazy("some months after they were earned")),
                        ("inactivity", lazy("after some months without a visit")),
                    ),
                ),
                Whole(
                    "expires_after_months",
                    lazy("Months from the receipt"),
                    lazy("0: they last for ever."),
                    high=1200,
                    unit=lazy("months"),
                    when=("expiry_mode", ("fixed",)),
                ),
                Choice(
                    "expires_round_up",
                    lazy("To the end of"),
                    lazy("Fewer dates are easier to remember."),
                    options=(
                        ("none", lazy("that very day")),
                        ("month", lazy("its month")),
                        ("quarter", lazy("its quarter")),
                        ("year", lazy("its year")),
                    ),
                    when=("expiry_mode", ("fixed",)),
                ),
                Whole(
                    "inactivity_months",
                    lazy("Months without a visit"),
                    high=1200,
                    unit=lazy("months"),
                    when=("expiry_mode", ("inactivity",)),
                ),
            ),
        ),
    ),
)

REDEEMING = Plain(
    "redeeming",
    lazy("Redeeming"),
    lazy("What a point is worth, and how many may be spent at once."),
    (
        Fieldset(
            None,
            (
                Number("point_value", lazy("A point is worth"), unit="money", high=999_999),
                Whole(
                    "redeem_minimum", lazy("At least so many at once"), low=1, unit=lazy("points")
                ),
                Whole("redeem_step", lazy("In steps of"), low=1, unit=lazy("points")),
                Whole(
                    "redeem_maximum_share",
                    lazy("For at most so much of a receipt"),
                    low=1,
                    high=100,
                    unit="%",
                ),
                Whole(
                    "static_redeem_limit",
                    lazy("Without a rotating code or a manager at most"),
                    lazy("A copied or printed code is good for no more than that."),
                    unit=lazy("points"),
                ),
            ),
        ),
        Fieldset(
            lazy("For the books"),
            (
                Number(
                    "expected_redemption",
                    lazy("Share of points that will be redeemed"),
                    lazy("From 0 to 1. What is owed to members is reckoned with it."),
                    high=1,
                ),
            ),
        ),
    ),
)

RETURNS = Plain(
    "returns",
    lazy("Returns"),
    lazy("What happens when goods come back and their points are spent already."),
    (
        Fieldset(
            None,
            (
                Choice(
                    "return_policy",
                    lazy("Points of returned goods that were spent"),
                    options=(
                        ("only_pending", lazy("stay spent: only pending points are taken back")),
                        ("within_balance", lazy("are taken as far as there are others")),
                        ("allow_debt", lazy("become a debt that the next points pay off")),
                    ),
                ),
                Whole(
                    "debt_floor",
                    lazy("Debt of at most"),
                    unit=lazy("points"),
                    when=("return_policy", ("allow_debt",)),
                ),
                Whole(
                    "grace_days",
                    lazy("Redeemed points that come back expired last"),
                    high=3650,
                    unit=lazy("days"),
                ),
            ),
        ),
    ),
)
