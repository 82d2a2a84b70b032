// Scenario documents for tests.

import ClusterModel
import Kamelot
import Scenarios

/// Four cores on two hosts, `n1` and `n2`, at 1000 s, without security time.
func scenario(
  jobs: String, _ more: String = "", config: String = #""SCHEDULER_JOB_SECURITY_TIME": 0"#
) throws(ScenarioError) -> Scenario {
  try Scenario(
    parsing: """
      {"now": 1000, \(more.isEmpty ? "" : more + ",")
       "platform": {"resources": 4, "unit": "core", "levels": {"network_address": 2}},
       "config": {\(config)},
       "jobs": [\(jobs)]}
      """)
}

/// A job that asks for cores.
func job(_ id: Int, cores: Int = 1, walltime: Int = 10, _ more: String = "") -> String {
  """
  {"id": \(id), \(more.isEmpty ? "" : more + ",") "moldables":
    [{"walltime": \(walltime), "groups": [{"levels": [["core", \(cores)]]}]}]}
  """
}

extension Scenario {
  init(parsing text: String) throws(ScenarioError) { try self.init(parsing: Array(text.utf8)) }

  /// Why a job was set aside.
  func problem(of job: JobID?) -> String? { setAside.first { $0.job == job }?.reason.text }
}

/// Why a document is refused; `nil` if it is not.
func refusal(of text: String) -> String? {
  do {
    _ = try Scenario(parsing: text)
    return nil
  } catch {
    return error.description
  }
}
