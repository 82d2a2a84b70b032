// Which jobs the words of oardel, oarhold and oarresume mean.

import CommandLine
import Wire

enum JobOperandOption {
  static let array = Key<Bool>.flag(
    "--array", help: "The numbers are those of arrays: all jobs of each")
  static let condition = Key<String?>.text(
    "--sql", value: "CONDITION",
    help: "The jobs that meet this SQL condition on the table jobs, such as \"project = 'p1'\"")
}

/// A request can name at most so many jobs; the server's message limit is far above it.
private let jobLimit = 1_000_000

/// The jobs that the arguments mean.
///
/// - Parameter badNumber: the exit code for a word that is no number.
/// - Throws: ``CommandFailure``; with the usage if no job is named.
func jobSelection(
  _ arguments: ParsedArguments, badNumber: Int32
) throws(CommandFailure) -> JobSelection {
  var numbers: [Int] = []
  for word in arguments.operands {
    guard let number = Int(word), number > 0 else {
      throw CommandFailure(
        badNumber, "[ERROR] \"\(shortened(word))\" is not a valid job identifier")
    }
    numbers.append(number)
  }
  let condition = arguments[JobOperandOption.condition]
  guard !numbers.isEmpty || condition != nil else {
    throw CommandFailure(1, showsUsage: true)
  }
  guard numbers.count <= jobLimit else {
    throw CommandFailure(
      1, "[ERROR] \(numbers.count) jobs at once; at most \(jobLimit) are allowed")
  }
  return arguments[JobOperandOption.array]
    ? JobSelection(arrays: numbers, condition: condition)
    : JobSelection(ids: numbers, condition: condition)
}
