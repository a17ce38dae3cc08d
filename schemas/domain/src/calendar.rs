//! Working days: the calendar by which statutory clocks run.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};

/// China Standard Time, which has no summer time.
const OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// Days that one calendar may name.
const MAX_DAYS: usize = 2_000;
/// Longest clock, in working days.
const MAX_CLOCK: u16 = 366;

/// Why a text is no day, or a calendar is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not a day of the Gregorian calendar.
    #[error("`{text}` is not a day: expected `YYYY-MM-DD`, from 1970-01-01 to 9998-12-31")]
    Day {
        /// What was offered.
        text: String,
    },
    /// Days are to be sorted, each once, and either a holiday or a working day.
    #[error("`{day}` stands twice or out of order: holidays and make-up working days are sorted, each once")]
    Order {
        /// The day at fault.
        day: Day,
    },
    /// Changes nothing and is a slip of the pen, most likely.
    #[error("`{day}` is a {what} already: name holidays on working days and make-up days on weekends only")]
    Idle {
        /// The day at fault.
        day: Day,
        /// What it is without the calendar.
        what: &'static str,
    },
    /// More than a calendar carries.
    #[error("a calendar names at most {MAX_DAYS} days, and clocks run for 1 to {MAX_CLOCK} working days")]
    Limits,
}

/// A civil day in China Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

impl Day {
    /// The day on which a moment falls.
    pub fn of_ms(time_ms: u64) -> Self {
        let days = (i64::try_from(time_ms).unwrap_or(i64::MAX - OFFSET_MS) + OFFSET_MS) / DAY_MS;
        Self(epoch().checked_add(days.min(LAST_DAY).days()).unwrap_or(Date::MAX))
    }

    /// Its first moment, milliseconds since 1970; zero for the first eight hours of that year's first day.
    pub fn start_ms(self) -> u64 {
        let days = i64::from((self.0 - epoch()).get_days());
        u64::try_from(days * DAY_MS - OFFSET_MS).unwrap_or(0)
    }

    /// The day after; the last one is followed by itself.
    pub fn next(self) -> Self {
        Self(self.0.tomorrow().unwrap_or(self.0))
    }

    /// Saturday or Sunday.
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// Year and month as one number, for example `202611`.
    pub fn month(self) -> u32 {
        u32::from(self.0.year().unsigned_abs()) * 100 + u32::from(self.0.month().unsigned_abs())
    }
}

/// Days from 1970-01-01 to 9998-12-31.
const LAST_DAY: i64 = 2_932_165;

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Day {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let wrong = || CalendarError::Day { text: text.chars().take(40).collect() };
        let date: Date = text.parse().map_err(|_| wrong())?;
        let own = date.to_string() == text && (1970..=9998).contains(&date.year());
        if own { Ok(Self(date)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Day {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl<C> Encode<C> for Day {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Day {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.str()?.parse().map_err(decode::Error::custom)
    }
}

/// How many working days each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// For the platform to check an access request.
    #[n(0)]
    pub check_days: u16,
    /// For the holder to decide on it.
    #[n(1)]
    pub decide_days: u16,
    /// For the holder to answer a dispute about a record.
    #[n(2)]
    pub dispute_days: u16,
    /// For the consumer to attest deletion after the end of data life.
    #[n(3)]
    pub deletion_days: u16,
}

impl Clocks {
    /// Five days to check, ten to decide (政务数据共享条例 第二十六条), ten each to correct and to delete.
    pub const USUAL: Self = Self { check_days: 5, decide_days: 10, dispute_days: 10, deletion_days: 10 };
}

impl Default for Clocks {
    fn default() -> Self {
        Self::USUAL
    }
}

/// The calendar in force. Days it does not name follow the week: Monday to Friday are working days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Revision, from 1; a later one supersedes and does not move clocks that run.
    #[n(0)]
    pub revision: u32,
    /// Free days that would be working days, sorted.
    #[n(1)]
    #[serde(default)]
    pub holidays: Vec<Day>,
    /// Working days that would be free (调休), sorted.
    #[n(2)]
    #[serde(default)]
    pub workdays: Vec<Day>,
    /// How long each step may take.
    #[n(3)]
    #[serde(default)]
    pub clocks: Clocks,
}

/// The calendar before any is adopted: weekends alone are free.
static PLAIN: Calendar = Calendar { revision: 0, holidays: Vec::new(), workdays: Vec::new(), clocks: Clocks::USUAL };

impl Calendar {
    /// The calendar before any is adopted.
    pub fn plain() -> &'static Self {
        &PLAIN
    }

    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`CalendarError`] naming the day at fault.
    pub fn check(&self) -> Result<(), CalendarError> {
        let Clocks { check_days, decide_days, dispute_days, deletion_days } = self.clocks;
        let clocks = [check_days, decide_days, dispute_days, deletion_days];
        if self.holidays.len() + self.workdays.len() > MAX_DAYS || clocks.iter().any(|d| !(1..=MAX_CLOCK).contains(d)) {
            return Err(CalendarError::Limits);
        }
        for days in [&self.holidays, &self.workdays] {
            if let Some([_, day]) = days.array_windows().find(|[a, b]| a >= b) {
                return Err(CalendarError::Order { day: *day });
            }
        }
        if let Some(day) = self.holidays.iter().find(|d| d.is_weekend()) {
            return Err(CalendarError::Idle { day: *day, what: "free day" });
        }
        match self.workdays.iter().find(|d| !d.is_weekend()) {
            Some(day) => Err(CalendarError::Idle { day: *day, what: "working day" }),
            None => Ok(()),
        }
    }

    /// Whether offices are open on this day.
    pub fn is_working(&self, day: Day) -> bool {
        if day.is_weekend() {
            self.workdays.binary_search(&day).is_ok()
        } else {
            self.holidays.binary_search(&day).is_err()
        }
    }

    /// When a clock of so many working days runs out that starts at this moment: the end of the last of them, the day
    /// of the start not counted (民法典 第二百零一条).
    pub fn due_ms(&self, start_ms: u64, working_days: u16) -> u64 {
        let mut day = Day::of_ms(start_ms);
        let mut left = working_days;
        // A calendar names at most MAX_DAYS free days beside weekends, so this ends.
        for _ in 0..2 * (usize::from(MAX_CLOCK) + MAX_DAYS) {
            if left == 0 {
                break;
            }
            day = day.next();
            left -= u16::from(self.is_working(day));
        }
        day.next().start_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_those_of_beijing_leap_years_included() {
        assert_eq!(Day::of_ms(0).to_string(), "1970-01-01");
        let midnight = day("2028-02-29").start_ms();
        assert_eq!(Day::of_ms(midnight), day("2028-02-29"));
        assert_eq!(Day::of_ms(midnight - 1), day("2028-02-28"));
        assert_eq!(day("2028-02-29").next(), day("2028-03-01"));
        assert_eq!(midnight % 86_400_000, 16 * 3_600_000, "midnight in Beijing is 16:00 UTC");
        assert_eq!(Day::of_ms(u64::MAX).next(), Day::of_ms(u64::MAX).next());
        assert_eq!((day("2026-11-30").month(), day("2026-01-01").month()), (202_611, 202_601));
        for bad in ["2027-02-29", "2026-13-01", "2026-1-1", "", "20261001", "1969-12-31", "9999-01-01"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_clock_skips_weekends_and_holidays_and_counts_make_up_days() {
        // National Day 2026 as an example: a week off, a Saturday worked instead.
        let holidays = ["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"].map(day).to_vec();
        let calendar = Calendar { revision: 1, holidays, workdays: vec![day("2026-10-10")], ..Calendar::default() };
        calendar.check().unwrap();
        let started = day("2026-09-30").start_ms() + 3_600_000;
        // 8, 9 and 10 October are the first three working days after.
        assert_eq!(calendar.due_ms(started, 3), day("2026-10-11").start_ms());
        assert_eq!(Calendar::default().due_ms(started, 3), day("2026-10-06").start_ms());
        assert_eq!(calendar.due_ms(started, 0), day("2026-10-01").start_ms());
        let late = day("2026-09-30").start_ms() + 86_399_999;
        assert_eq!(calendar.due_ms(late, 3), calendar.due_ms(started, 3), "the hour of the day is of no matter");
    }

    #[test]
    fn calendars_with_slips_are_refused_by_the_day() {
        let with = |holidays: &[&str], workdays: &[&str]| Calendar {
            revision: 1,
            holidays: holidays.iter().map(|t| day(t)).collect(),
            workdays: workdays.iter().map(|t| day(t)).collect(),
            clocks: Clocks::default(),
        };
        assert!(matches!(with(&["2026-10-02", "2026-10-01"], &[]).check(), Err(CalendarError::Order { .. })));
        assert!(matches!(with(&["2026-10-03"], &[]).check(), Err(CalendarError::Idle { .. })));
        assert!(matches!(with(&[], &["2026-10-08"]).check(), Err(CalendarError::Idle { .. })));
        let mut none = with(&[], &[]);
        none.clocks.decide_days = 0;
        assert_eq!(none.check(), Err(CalendarError::Limits));
    }

    #[test]
    fn a_year_of_holidays_still_ends() {
        let mut holidays = Vec::new();
        let mut at = day("2027-01-01");
        while holidays.len() < MAX_DAYS {
            if !at.is_weekend() {
                holidays.push(at);
            }
            at = at.next();
        }
        let calendar = Calendar { revision: 1, holidays, ..Calendar::default() };
        calendar.check().unwrap();
        assert!(calendar.due_ms(day("2027-01-01").start_ms(), 10) > day("2034-01-01").start_ms());
    }
}
