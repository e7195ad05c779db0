"""What a text is made of, by the subjects of its open pieces."""

from __future__ import annotations

from srm_checks.model import Unknown
from srm_checks.subjects import by_hole, composed, hole, pieces_of

VAR = Unknown("var.x", subject="|var.x")
ROLE = Unknown("aws_iam_role.r.arn", parts=("arn:", None, ":role/", None), subject="aws_iam_role.r.arn")


def text(*pieces: str | Unknown) -> Unknown:
    return Unknown("a text", parts=("-", None), subject=composed(pieces))


def test_a_text_has_the_subjects_of_its_open_pieces() -> None:
    assert pieces_of(composed(["a-", VAR, "-b"])) == ["|var.x"]
    assert pieces_of(composed(["a"])) == []


def test_equal_texts_have_equal_subjects_however_they_are_put_together() -> None:
    assert composed(["a-b-", VAR]) == composed(["a-", text("b-", VAR)])
    assert composed(["a-", VAR]) != composed(["b-", VAR])


def test_a_piece_without_a_subject_leaves_the_text_without_one() -> None:
    assert composed(["a", Unknown("uuid()"), VAR]) == ""


def test_a_hole_of_a_value_is_not_the_whole_of_it() -> None:
    assert pieces_of(composed([ROLE])) == ["aws_iam_role.r.arn#1", "aws_iam_role.r.arn#3"]


def test_pieces_side_by_side_make_one_hole() -> None:
    assert by_hole(composed(["a", VAR, "b", VAR, VAR])) == ["|var.x", composed([VAR, VAR])]


def test_an_open_piece_may_name_others() -> None:
    assert pieces_of(hole(composed(["{{resolve:ssm:", VAR, "}}"]))) == ["{{resolve:ssm:${|var.x}}}"]
