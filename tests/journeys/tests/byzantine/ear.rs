//! Hears why nodes refuse blocks. Reasons are for the log, so the log is what a test must read.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

static REFUSED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
static ONCE: Once = Once::new();

/// Why a block was refused, by the id it was offered under.
pub fn refused(block: &covenant_canon::Digest) -> Option<String> {
    REFUSED.lock().get(&block.to_string()).cloned()
}

/// Begins to listen, and to print what `RUST_LOG` asks for.
pub fn listen() {
    ONCE.call_once(|| {
        let printed = fmt::layer().with_test_writer().with_filter(EnvFilter::from_default_env());
        tracing_subscriber::registry().with(Ear).with(printed).init();
    });
}

struct Ear;

#[derive(Default)]
struct Heard(BTreeMap<&'static str, String>);

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("covenant_consensus") {
            return;
        }
        let mut heard = Heard::default();
        event.record(&mut heard);
        let Heard(mut fields) = heard;
        if let (Some(block), Some(reason)) = (fields.remove("block"), fields.remove("reason")) {
            REFUSED.lock().insert(block, reason);
        } else if let (Some(offered), Some(message)) = (fields.remove("offered"), fields.remove("message")) {
            REFUSED.lock().insert(offered, message);
        }
    }
}
