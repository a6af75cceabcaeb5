//! An invoice, as people are told that it is ready.

use std::fmt;

use iso_currency::Currency;
use serde::{Deserialize, Serialize};

/// The longest invoice number, in characters.
pub const LONGEST_NUMBER: usize = 60;

/// An amount of money in one currency.
///
/// ```
/// use billops::domain::invoice::Money;
///
/// assert_eq!(Money::new(482_000, "EUR").unwrap().to_string(), "EUR 4,820.00");
/// assert_eq!(Money::new(-5, "USD").unwrap().to_string(), "USD −0.05");
/// assert_eq!(Money::new(4820, "JPY").unwrap().to_string(), "JPY 4,820");
/// assert_eq!(Money::new(1, "euro"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In the currency's smallest unit: cents of euros, yen of yen. Below zero for a credit note.
    cents: i64,
    currency: Currency,
}

impl Money {
    /// So many of the smallest unit of the currency with this code of ISO 4217. `None` where there is no such
    /// currency, or it has no smallest unit, as gold.
    pub fn new(cents: i64, code: &str) -> Option<Self> {
        let currency = Currency::from_code(code)?;
        currency.exponent()?;
        Some(Self { cents, currency })
    }
}

/// Writes `EUR 4,820.00`: the code, for a sign alone can be several currencies.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.exponent().unwrap_or(0));
        let written = format!("{:0>1$}", self.cents.unsigned_abs(), digits + 1);
        let (whole, part) = written.split_at(written.len() - digits);
        write!(f, "{} ", self.currency.code())?;
        if self.cents < 0 {
            f.write_str("−")?;
        }
        for (at, digit) in whole.char_indices() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if !part.is_empty() {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

/// An invoice that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// What it is called in the billing system; see [`Invoice::is_number`].
    pub number: String,
    /// What is to be paid.
    pub total: Money,
}

impl Invoice {
    /// Whether an invoice can be called so: 1 to 60 characters, none of which is a control character or a space at
    /// either end.
    pub fn is_number(text: &str) -> bool {
        !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= LONGEST_NUMBER
            && !text.contains(char::is_control)
    }

    /// Writes `EUR:482000:2026-118`, short enough for the value of a button.
    pub fn value(&self) -> String {
        let Money { cents, currency } = self.total;
        format!("{}:{cents}:{}", currency.code(), self.number)
    }

    /// Reads what [`value`](Self::value) writes.
    pub fn from_value(text: &str) -> Option<Self> {
        let (code, rest) = text.split_once(':')?;
        let (cents, number) = rest.split_once(':')?;
        let total = Money::new(cents.parse().ok()?, code)?;
        Self::is_number(number).then(|| Self {
            number: number.to_owned(),
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        for (cents, code, written) in [
            (0, "EUR", "EUR 0.00"),
            (7, "EUR", "EUR 0.07"),
            (99_999, "EUR", "EUR 999.99"),
            (100_000, "EUR", "EUR 1,000.00"),
            (-123_456_789, "CHF", "CHF −1,234,567.89"),
            (1_234_567, "BHD", "BHD 1,234.567"),
            (0, "JPY", "JPY 0"),
            (1_000_000, "JPY", "JPY 1,000,000"),
            (i64::MIN, "USD", "USD −92,233,720,368,547,758.08"),
            (i64::MAX, "USD", "USD 92,233,720,368,547,758.07"),
        ] {
            assert_eq!(Money::new(cents, code).unwrap().to_string(), written);
        }
        for none in ["", "eur", "EURO", "AAA", "XAU", "XXX", "€"] {
            assert_eq!(Money::new(1, none), None, "{none}");
        }
    }

    #[test]
    fn an_invoice_is_called_something_short() {
        let long = "9".repeat(LONGEST_NUMBER);
        for number in ["1", "2026-118", "RE 7/3:ß", &long] {
            assert!(Invoice::is_number(number), "{number}");
            let total = Money::new(-482_000, "EUR").unwrap();
            let number = number.to_owned();
            let invoice = Invoice { number, total };
            assert_eq!(Invoice::from_value(&invoice.value()), Some(invoice));
        }
        let longer = format!("{long}9");
        for bad in ["", " ", " 1", "1 ", "1\n2", "1\u{0}", &longer] {
            assert!(!Invoice::is_number(bad), "{bad:?}");
            assert_eq!(Invoice::from_value(&format!("EUR:1:{bad}")), None);
        }
        for bad in ["", "EUR", "EUR:1", "EUR:x:1", "EU:1:1"] {
            assert_eq!(Invoice::from_value(bad), None, "{bad}");
        }
    }
}
