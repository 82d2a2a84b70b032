// Which jobs a call of oarstat is about: its options turned into a query for the server.

import ClusterModel
import CommandLine
import Glibc
import Wire

/// The jobs that `-j`, `--array`, `--sql` and `-u` name.
struct OarstatQuery {
  private(set) var ids: [JobID] = []
  private(set) var arrays: [JobID] = []
  private(set) var condition: String?
  private(set) var users: [String]?

  init(_ arguments: ParsedArguments, _ context: CommandContext) throws {
    for text in arguments[OarstatOption.jobs] {
      ids += try jobIDs(text ?? context.variable("OAR_JOB_ID") ?? "")
    }
    for case let text? in arguments[OarstatOption.arrays] { arrays += try jobIDs(text) }
    condition = arguments[OarstatOption.condition]
    if arguments.has(OarstatOption.users) {
      users = arguments[OarstatOption.users].map { $0 ?? ownUserName() }
    }
  }

  /// Whether jobs or arrays are given by number.
  var namesJobs: Bool { !ids.isEmpty || !arrays.isEmpty }

  /// The selection; `nil` if nothing but users is named.
  var selection: JobSelection? {
    guard namesJobs || condition != nil else { return nil }
    return JobSelection(ids: ids, arrays: arrays, condition: condition)
  }

  func message(full: Bool) -> JobQuery {
    var query = JobQuery()
    query.selection = selection
    query.users = users
    query.full = full
    return query
  }
}

/// The job ids in a text such as `42` or `42,43`.
///
/// - Throws: ``CommandFailure`` with OAR's text and exit code for anything else.
func jobIDs(_ text: String) throws -> [JobID] {
  let words = text.split(separator: ",", omittingEmptySubsequences: false)
  return try words.map { word in
    guard let id = JobID(word), id > 0 else {
      throw CommandFailure(
        255, "/!\\ ERROR: No job id provided in command line or environment variables",
        "\"\(shortened(word))\" is not a job id; give a whole number from 1, such as 42.")
    }
    return id
  }
}

/// The name of the user who runs the command.
func ownUserName() -> String {
  var entry = passwd()
  var buffer = [CChar](repeating: 0, count: 16_384)
  var found: UnsafeMutablePointer<passwd>?
  guard getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil,
    let name = entry.pw_name
  else { return String(geteuid()) }
  return String(cString: name)
}
