// SHA-256, by the program of coreutils that every Debian has: a few digests for each start are not
// worth a library that every command would load.

enum Digest {
  /// A digest is told by so many hexadecimal digits of it, which is plenty for one machine.
  private static let length = 32

  /// The digest of these words in this order.
  static func of(_ words: [String], deadline: Deadline) throws -> String {
    // The lengths keep words apart whatever they contain.
    let text = words.map { "\($0.utf8.count):\($0)" }.joined(separator: ",")
    return String(try digest(["sha256sum"], Array(text.utf8), deadline).prefix(length))
  }

  /// All 64 hexadecimal digits of a file's digest.
  static func ofFile(_ path: String, deadline: Deadline) throws -> String {
    try digest(["sha256sum", "--", path], [], deadline)
  }

  private static func digest(
    _ arguments: [String], _ input: [UInt8], _ deadline: Deadline
  ) throws -> String {
    let answer = try ToolRun.run(arguments, input: input, deadline: deadline)
    // A backslash in front says that the name of the file needed escapes.
    let digest = answer.output.drop { $0 == "\\" }.prefix { $0.isHexDigit }
    guard answer.code == 0, digest.count == 64 else {
      throw LabError("cannot make a digest: \(answer.complaint)")
    }
    return String(digest)
  }
}
