// Several commands of the lab in one line, as in `liburna lab start -n 4 connect frontend`: where
// one's words end and the next one's begin, and how they are done.

import CommandLine

/// A command of the lab, which can be one of several in a line.
protocol LabVerb: Command {
  /// How many words it takes beside its options: the least, which it can't do without and which may
  /// therefore be any words, and the most.
  static var words: ClosedRange<Int> { get }
  /// What one of its words is, for messages.
  static var wordMeaning: String { get }
}

extension LabVerb {
  static var words: ClosedRange<Int> { 0...0 }
  static var wordMeaning: String { "The name of a host" }
}

/// One command of a line with its words.
struct LabCall {
  var name: String
  var type: any LabVerb.Type
  var words: [String]
}

enum LabChain {
  typealias Verbs = [(name: String, type: any LabVerb.Type)]

  /// The most commands of one line.
  static let limit = 64

  /// Divides a line, which begins with the name of a command, into its commands.
  static func split(_ line: [String], verbs: Verbs) throws(UsageError) -> [LabCall] {
    var calls: [LabCall] = []
    var rest = line[...]
    while let name = rest.popFirst() {
      guard let type = verbs.first(where: { $0.name == name })?.type else {
        throw stray(name, after: calls.last, verbs)
      }
      guard calls.count < limit else { throw UsageError(["More than \(limit) commands in a line"]) }
      let needed = type.words.lowerBound
      let most = type.words.upperBound
      let count = type.definition.callLength(in: Array(rest)) { word, operands in
        operands >= most || operands >= needed && verbs.contains { $0.name == word }
      }
      calls.append(LabCall(name: name, type: type, words: Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return calls
  }

  private static func stray(_ word: String, after call: LabCall?, _ verbs: Verbs) -> UsageError {
    let names = verbs.map(\.name).joined(separator: ", ")
    let place = call.map { " after \($0.name)" } ?? ""
    return UsageError(["\"\(shortened(word))\" means nothing\(place); the commands are \(names)"])
  }

  /// Does the commands one after the other until one fails, and gives the exit code of the last that
  /// was done. Options in `common` hold for every command that knows them.
  static func run(
    _ calls: [LabCall], common: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let calls = calls.map { call in
      var call = call
      call.words.insert(contentsOf: LabOption.words(of: common, for: call.type.definition), at: 0)
      return call
    }
    for call in calls {
      let arguments: ParsedArguments
      do throws(UsageError) {
        arguments = try call.type.definition.parse(call.words)
      } catch {
        return perform(call, in: context)  // Which says what is wrong.
      }
      if arguments.asksAbout { return perform(call, in: context) }
      guard arguments.operands.count >= call.type.words.lowerBound else {
        throw UsageError(["\(call.type.wordMeaning) is needed after \(call.name)"])
      }
      if arguments.operands.count > call.type.words.upperBound {
        let word = shortened(arguments.operands[call.type.words.upperBound])
        throw UsageError(["\"\(word)\" means nothing after \(call.name)"])
      }
    }
    for (place, call) in calls.enumerated() {
      let code = perform(call, in: context)
      guard code != 0 else { continue }
      let others = calls[(place + 1)...].map(\.name).joined(separator: ", ")
      if !others.isEmpty { context.errors.line("Not done after \(call.name): \(others).") }
      return code
    }
    return 0
  }

  private static func perform(_ call: LabCall, in context: CommandContext) -> Int32 {
    let part = CommandContext(
      words: ["liburna lab \(call.name)"] + call.words, output: context.output,
      errors: context.errors, input: context.input, variable: context.variable,
      connect: context.connect)
    let code = call.type.call(in: part)
    if let signal = part.endingSignal { context.endingSignal = signal }
    return code
  }
}
