//! Exact amounts: a fraction of two whole numbers, never a float.

/// A fraction that is zero or more. Everything saturates, and what saturates is far more than the
/// longest time that can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    numerator: u128,
    denominator: u128,
}

impl Exact {
    pub(super) const ZERO: Self = Self::whole(0);
    pub(super) const HALF: Self = Self::of(1, 2);
    pub(super) const QUARTER: Self = Self::of(1, 4);
    pub(super) const THREE_QUARTERS: Self = Self::of(3, 4);

    pub(super) const fn whole(number: u64) -> Self {
        Self::of(number, 1)
    }

    /// A fraction; a denominator of zero counts as one.
    pub(super) const fn of(numerator: u64, denominator: u64) -> Self {
        Self {
            numerator: numerator as u128,
            denominator: if denominator == 0 {
                1
            } else {
                denominator as u128
            },
        }
    }

    pub(super) fn times(self, factor: u32) -> Self {
        Self {
            numerator: self.numerator.saturating_mul(u128::from(factor)),
            ..self
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let shared = greatest_common_divisor(self.denominator, other.denominator);
        let (left, right) = (other.denominator / shared, self.denominator / shared);
        Self {
            numerator: (self.numerator.saturating_mul(left))
                .saturating_add(other.numerator.saturating_mul(right)),
            denominator: self.denominator.saturating_mul(left),
        }
    }

    pub(super) fn is_below_one(self) -> bool {
        self.numerator < self.denominator
    }

    /// The whole number nearest to a sixtieth of this, half up: minutes, if this is seconds.
    pub(super) fn sixtieth(self) -> u128 {
        // Whole seconds decide: a fraction of a second never reaches the next half minute.
        let seconds = self.numerator / self.denominator;
        seconds / 60 + u128::from(seconds % 60 >= 30)
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let third = Exact::of(1, 3).times(3600);
        assert_eq!(third.plus(third).plus(third).sixtieth(), 60);
        let tenth = Exact::of(1, 10);
        let sum = (0..10).fold(Exact::ZERO, |sum, _| sum.plus(tenth));
        assert_eq!(sum.times(60).sixtieth(), 1);
        let mixed = Exact::of(1, 4).plus(Exact::of(1, 6)).times(3600);
        assert_eq!(mixed.sixtieth(), 25);
    }

    #[test]
    fn half_a_minute_is_rounded_up_and_anything_less_is_not() {
        assert_eq!(Exact::whole(89).sixtieth(), 1);
        assert_eq!(Exact::whole(90).sixtieth(), 2);
        assert_eq!(Exact::of(299_999_999, 10_000_000).sixtieth(), 0);
        assert_eq!(Exact::whole(30).sixtieth(), 1);
    }

    #[test]
    fn too_much_saturates() {
        let most = Exact::whole(u64::MAX).times(u32::MAX).times(u32::MAX);
        assert_eq!(most.times(u32::MAX).sixtieth(), u128::MAX / 60);
        assert!(most.plus(most).plus(Exact::of(1, 99)).sixtieth() > 1440);
    }
}
