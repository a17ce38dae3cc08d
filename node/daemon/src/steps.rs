//! Named points of the walk at which a test may stop the process, to prove that nothing is lost or half-written there.

use std::sync::Arc;

/// Called with the name of each point as it is passed.
pub type StepHook = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The points of the walk, in order. A production node has no hook.
#[derive(Clone, Default)]
pub struct Steps(Option<StepHook>);

impl Steps {
    /// Every point's name.
    pub const ALL: [&'static str; 10] = [
        "pending-stored",
        "block-built",
        "undecided-stored",
        "block-checked",
        "before-commit",
        "after-commit",
        "input-stored",
        "query-run",
        "answer-stored",
        "completion-submitted",
    ];

    /// With a hook.
    pub fn with(hook: StepHook) -> Self {
        Self(Some(hook))
    }

    pub(crate) fn pass(&self, name: &'static str) {
        debug_assert!(Self::ALL.contains(&name));
        if let Some(hook) = &self.0 {
            hook(name);
        }
    }
}
