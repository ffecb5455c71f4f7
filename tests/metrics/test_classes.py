import numpy as np
import pytest

from ganzoo.metrics.classes import class_shares, sure


def test_sure_is_the_share_whose_likeliest_class_has_more_than_the_probability():
    shares = np.array([[0.95, 0.05], [0.89, 0.11], [0.5, 0.5], [0.02, 0.98]])
    assert sure(np.log(shares)) == 0.5
    assert sure(np.log(shares), probability=0.8) == 0.75
    assert sure(np.log(shares) + 1000) == 0.5
    assert sure(np.zeros((5, 2))) == 0  # of no image, and no error


def test_class_shares_count_the_likeliest_classes():
    logits = np.eye(4)[[0, 0, 1, 3, 3, 3, 0, 0]]
    np.testing.assert_array_equal(class_shares(logits), [0.5, 0.125, 0, 0.375])


@pytest.mark.parametrize("function", [sure, class_shares])
def test_logits_that_are_not_finite_raise(function):
    with pytest.raises(ValueError, match="logits"):
        function(np.array([[np.nan, 1.0], [0, 1]]))
    with pytest.raises(ValueError, match="logits"):
        function(np.zeros((0, 10)))
