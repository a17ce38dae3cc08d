//! One member's node: replica, consensus and worker wired together
