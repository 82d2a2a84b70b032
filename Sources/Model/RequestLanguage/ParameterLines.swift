// The parameter file of an array: one job a line.

/// The lines that make jobs: without blank lines and comments, and without the line ends of other
/// systems.
///
/// - Throws: ``RequestError`` if there are none or too many.
public func parameterLines(_ text: String) throws(RequestError) -> [String] {
  let subject = "array parameter file"
  try RequestLimits.check(text, in: subject, limit: RequestLimits.parameterFileBytes)
  var lines: [String] = []
  for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
    guard let first = line.first(where: { !$0.isBlank }), first != UInt8(ascii: "#") else {
      continue
    }
    guard lines.count < RequestLimits.arrayJobs else {
      throw RequestError(
        .tooLarge, in: subject, value: "", problem: "there are too many lines",
        allowed: "at most \(RequestLimits.arrayJobs) jobs")
    }
    let body = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    lines.append(String(Substring(body)))
  }
  guard !lines.isEmpty else {
    throw RequestError(
      .missing, in: subject, value: "", problem: "there is no line with parameters",
      allowed: "one line for each job")
  }
  return lines
}
