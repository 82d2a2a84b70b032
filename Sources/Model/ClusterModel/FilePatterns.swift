// The names of a job's output files.

/// Replaces `%jobid%`, `%jobname%`, `%arrayid%` and `%arrayindex%` in a file name pattern.
public func resolveFilePattern(
  _ pattern: String, job: JobID, name: String?, arrayID: JobID, arrayIndex: Int
) -> String {
  var result = ""
  var rest = pattern[...]
  while let percent = rest.firstIndex(of: "%") {
    result += rest[..<percent]
    rest = rest[percent...]
    let replacements = [
      ("%jobid%", String(job)), ("%jobname%", name ?? ""), ("%arrayid%", String(arrayID)),
      ("%arrayindex%", String(arrayIndex)),
    ]
    if let (mark, value) = replacements.first(where: { rest.hasPrefix($0.0) }) {
      result += value
      rest = rest.dropFirst(mark.count)
    } else {
      result += "%"
      rest = rest.dropFirst()
    }
  }
  return result + rest
}
