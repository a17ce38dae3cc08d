//! Problems as gRPC statuses: the code in metadata `covenant-code`, the whole document in `covenant-problem-bin`.

use covenant_api::{Code, Problem};
use tonic::metadata::{MetadataMap, MetadataValue};

const CODE: &str = "covenant-code";
const DOCUMENT: &str = "covenant-problem-bin";

/// The status that carries a problem.
pub fn status_of(problem: &Problem) -> tonic::Status {
    let mut metadata = MetadataMap::new();
    if let Ok(code) = MetadataValue::try_from(&problem.code) {
        metadata.insert(CODE, code);
    }
    if let Ok(document) = serde_json::to_vec(problem) {
        metadata.insert_bin(DOCUMENT, MetadataValue::from_bytes(&document));
    }
    tonic::Status::with_metadata(grpc_code(problem.status), &problem.detail, metadata)
}

/// The problem that a status carries; one of code `internal` or `unavailable` for a status from elsewhere.
pub fn problem_of(status: &tonic::Status) -> Problem {
    let document = status.metadata().get_bin(DOCUMENT).and_then(|v| v.to_bytes().ok());
    if let Some(problem) = document.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return problem;
    }
    let code = match status.code() {
        tonic::Code::Unavailable | tonic::Code::Cancelled => Code::Unavailable,
        tonic::Code::DeadlineExceeded => Code::Timeout,
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => Code::BodyTooLarge,
        tonic::Code::Unimplemented => Code::RouteUnknown,
        _ => Code::Internal,
    };
    Problem::new(code, status.message())
}

fn grpc_code(status: u16) -> tonic::Code {
    match status {
        400 | 406 | 413 | 415 => tonic::Code::InvalidArgument,
        401 => tonic::Code::Unauthenticated,
        403 => tonic::Code::PermissionDenied,
        404 => tonic::Code::NotFound,
        405 => tonic::Code::Unimplemented,
        409 | 422 => tonic::Code::FailedPrecondition,
        429 => tonic::Code::ResourceExhausted,
        503 => tonic::Code::Unavailable,
        504 => tonic::Code::DeadlineExceeded,
        _ => tonic::Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_survives_the_way() {
        for code in Code::ALL {
            let problem = Problem::new(*code, "字段 `x`: no").retry_after(3);
            let status = status_of(&problem);
            assert_eq!(problem_of(&status), problem);
            assert_eq!(status.metadata().get("covenant-code").unwrap(), code.as_str());
        }
    }
}
