// One program, many commands: which one is meant, by the name it was called by or by its first word.

import ClusterModel
import Glibc

/// The commands of a program.
public struct MultiCall: Sendable {
  /// Commands by name; the types are looked at only when called.
  public let commands: [(name: String, type: any Command.Type)]
  /// The program's own name, under which commands are first words.
  public let program: String
  /// What the overview ends with.
  private let note: String

  public init(
    program: String, commands: [(name: String, type: any Command.Type)],
    note: String = "Commands whose names begin with oar can also be called by those names."
  ) {
    self.program = program
    self.commands = commands
    self.note = note
  }

  /// Runs the command that `words` (name and arguments) mean, and ends the process as it says.
  public func main(words: [String]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    let context = CommandContext.ofThisProcess(words: words)
    let code = run(in: context)
    if let number = context.endingSignal {
      signal(number, SIG_DFL)
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, number)
      sigprocmask(SIG_UNBLOCK, &set, nil)
      raise(number)
    }
    exit(code)
  }

  /// Runs a command and returns its exit code.
  public func run(in context: CommandContext) -> Int32 {
    if let type = find(context.program) { return type.call(in: context) }
    defer {
      context.output.flush()
      context.errors.flush()
    }
    guard let word = context.arguments.first else {
      context.output.write(overview)
      return 0
    }
    switch word {
    case "-h", "--help", "help": return help(in: context)
    case "-V", "--version", "version": context.output.line("Liburna \(liburnaVersion)")
    case "man" where context.arguments == ["man", program]: context.output.write(manualPage)
    case "man": return show(in: context) { $0.manualPage }
    case "completion": return completion(in: context)
    default:
      guard let type = find(word) else { return unknown(word, in: context) }
      return type.call(in: context.forCommand(word))
    }
    return 0
  }

  private func find(_ name: String) -> (any Command.Type)? {
    commands.first { $0.name == name }?.type
  }

  private func help(in context: CommandContext) -> Int32 {
    guard context.arguments.count > 1 else {
      context.output.write(overview)
      return 0
    }
    return show(in: context) { $0.helpText }
  }

  private func show(
    in context: CommandContext, _ text: (CommandDefinition) -> String
  ) -> Int32 {
    guard context.arguments.count == 2 else {
      let names = commands.map(\.name).joined(separator: " ")
      context.errors.line("Usage: \(program) \(context.arguments[0]) COMMAND, one of: \(names)")
      return 1
    }
    guard let type = find(context.arguments[1]) else {
      return unknown(context.arguments[1], in: context)
    }
    context.output.write(text(type.definition))
    return 0
  }

  private func completion(in context: CommandContext) -> Int32 {
    guard context.arguments.count == 2, let shell = CompletionShell(rawValue: context.arguments[1])
    else {
      let shells = CompletionShell.allCases.map(\.rawValue).joined(separator: ", ")
      context.errors.line("Usage: \(program) completion SHELL, one of: \(shells)")
      return 1
    }
    let table = commands.map { (name: $0.name, definition: $0.type.definition) }
    let others = ["help", "man", "completion"]
    context.output.write(shell.script(program: program, commands: table, others: others))
    return 0
  }

  private func unknown(_ word: String, in context: CommandContext) -> Int32 {
    context.errors.line("[ERROR] There is no command \"\(shortened(word))\".")
    context.errors.line("Try '\(program) help' for the commands.")
    return 1
  }

  private var overview: String {
    var text = "Usage: \(program) COMMAND [OPTIONS] [WORDS]\n\nCommands:\n"
    for (name, summary) in summaries {
      text += filled(summary, firstIndent: "  \(name)".padded(to: 21), indent: 21)
    }
    return text + "\n\(note)\n"
  }

  /// What can be called, each with one line.
  private var summaries: [(name: String, summary: String)] {
    commands.map { ($0.name, $0.type.definition.summary) } + [
      ("help [COMMAND]", "Show this overview, or the help of a command"),
      ("man COMMAND", "Write the manual page of a command"),
      ("completion SHELL", "Write what makes a shell complete commands and options"),
    ]
  }

  /// The program's own manual page: its commands.
  private var manualPage: String {
    let title = program.uppercased()
    var page = ".TH \(title) 1 \"\" \"Liburna \(liburnaVersion)\" \"Liburna\"\n"
    page += ".SH NAME\n\(troff(program)) \\- all commands of the batch system Liburna\n"
    page += ".SH SYNOPSIS\n.B \(troff(program))\nCOMMAND [OPTIONS] [WORDS]\n"
    page += ".SH DESCRIPTION\n.PP\n\(troff(note))\n.SH COMMANDS\n"
    for (name, summary) in summaries { page += ".TP\n.B \(troff(name))\n\(troff(summary)).\n" }
    page += ".SH FILES\n.TP\n.B \(troff(Configuration.standardPath))\n"
    page += "Where the server is, unless the variable OARCONFFILE names another file.\n"
    return page + ".SH SEE ALSO\n.BR oar.conf (5),\n.BR liburnad (8)\n"
  }
}

extension CommandContext {
  /// The surroundings for a command that is a word of this one's arguments.
  func forCommand(_ name: String) -> CommandContext {
    words.removeFirst()
    arguments.removeFirst()
    return self
  }
}
