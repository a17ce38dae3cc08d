//! How old somebody is, from the resident number.
//!
//! An age is reached on the day after the birthday, in Beijing time (最高人民法院: 从周岁生日的第二天起). Who was born on
//! 29 February has its birthday on the 28th in other years, and so reaches the age on 1 March.

use covenant_domain::ResidentNumber;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// From this age one speaks for oneself (个人信息保护法 第三十一条).
pub(crate) const OF_CONSENT: i64 = 14;
/// From this age one may speak for others (民法典 第十七条).
pub(crate) const OF_MAJORITY: i64 = 18;

/// Whether a person has reached an age. A date that cannot be computed counts as not reached.
pub(crate) fn reached(number: &ResidentNumber, years: i64, now_ms: u64) -> bool {
    let (Some(birth), Some(today)) = (birth(number), beijing_day(now_ms)) else { return false };
    let Ok(years) = i16::try_from(years) else { return false };
    // Adding years to 29 February gives the 28th where there is none.
    birth.checked_add(Span::new().years(years)).is_ok_and(|birthday| today > birthday)
}

fn birth(number: &ResidentNumber) -> Option<Date> {
    let text = number.expose();
    let part = |from: usize, to: usize| text.get(from..to);
    Date::new(part(6, 10)?.parse().ok()?, part(10, 12)?.parse().ok()?, part(12, 14)?.parse().ok()?).ok()
}

fn beijing_day(now_ms: u64) -> Option<Date> {
    let moment = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    Some(moment.to_zoned(TimeZone::fixed(Offset::constant(8))).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn born(year: i16, month: i8, day: i8) -> ResidentNumber {
        ResidentNumber::from_parts(110_105, Date::new(year, month, day).unwrap(), 2).unwrap()
    }

    /// Milliseconds of a moment in UTC.
    fn at(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    #[test]
    fn an_age_begins_the_day_after_the_birthday_at_midnight_in_beijing() {
        let number = born(2012, 5, 10);
        assert!(!reached(&number, 14, at("2026-05-10T15:59:59.999Z")), "still the birthday in Beijing");
        assert!(reached(&number, 14, at("2026-05-10T16:00:00Z")), "the 11th there, the 10th in Greenwich");
        assert!(!reached(&number, 18, at("2030-05-10T12:00:00Z")));
        assert!(reached(&number, 18, at("2030-05-10T16:00:00Z")));
    }

    #[test]
    fn leap_days_have_their_birthday_in_every_year() {
        let number = born(2012, 2, 29);
        assert!(!reached(&number, 14, at("2026-02-28T15:59:59Z")), "the 28th is the birthday");
        assert!(reached(&number, 14, at("2026-02-28T16:00:00Z")), "1 March in Beijing");
        assert!(!reached(&number, 16, at("2028-02-28T16:00:00Z")), "in a leap year the 29th is the birthday");
        assert!(reached(&number, 16, at("2028-02-29T16:00:00Z")));
    }

    #[test]
    fn nobody_is_of_age_before_birth_or_at_impossible_times() {
        assert!(!reached(&born(2030, 1, 1), 14, at("2026-01-01T00:00:00Z")));
        assert!(!reached(&born(1950, 1, 1), 14, u64::MAX));
    }
}
