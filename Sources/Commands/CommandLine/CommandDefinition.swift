// What a command is called, takes and means: one table from which parser, help, manual page and
// completion are made.

/// The description of one command.
public struct CommandDefinition: Sendable {
  /// What the words after the options are, for completion and help.
  public enum Operands: Sendable {
    case none
    case files
    case jobs
    case hosts
    /// Words of which some begin with a sign: `-1` is no option.
    case signedWords
    /// A command with its own arguments: options end at the first operand.
    case command
  }

  public var name: String
  /// One line without a full stop, as in a manual's NAME section.
  public var summary: String
  /// The forms of a call, without the command's name.
  public var synopsis: [String]
  public var operands: Operands
  public var options: [any OptionKey]
  /// Paragraphs of the manual page.
  public var details: [String]
  public var examples: [(call: String, meaning: String)]
  public var exitCodes: [(code: Int32, meaning: String)]
  /// The commands that are words of this one, as those of the lab are.
  public var commands: [(name: String, definition: CommandDefinition)]
  /// What `--help` ends with; OAR's oardel and admin commands end with 1.
  public var helpExitCode: Int32

  /// `--help` and `--version` are added; their letters are `-h` and `-V` unless `options` use them.
  public init(
    _ name: String, _ summary: String, synopsis: [String], operands: Operands = .none,
    options: [any OptionKey], details: [String] = [],
    examples: [(call: String, meaning: String)] = [],
    exitCodes: [(code: Int32, meaning: String)] = [], helpExitCode: Int32 = 0,
    commands: [(name: String, definition: CommandDefinition)] = []
  ) {
    self.name = name
    self.summary = summary
    self.synopsis = synopsis
    self.operands = operands
    self.details = details
    self.examples = examples
    self.exitCodes = exitCodes
    self.helpExitCode = helpExitCode
    self.commands = commands
    let letters = options.compactMap(\.definition.short)
    let isHelpFree = !letters.contains("h")
    let isVersionFree = !letters.contains("V")
    self.options =
      options + [
        isHelpFree ? StandardOption.help : StandardOption.longHelp,
        isVersionFree ? StandardOption.version : StandardOption.longVersion,
      ]
  }
}

/// The options that every command has.
public enum StandardOption {
  static let help = Key<Bool>.flag("-h", "--help", help: "Show this help")
  static let longHelp = Key<Bool>.flag("--help", help: "Show this help")
  static let version = Key<Bool>.flag("-V", "--version", help: "Show the version")
  static let longVersion = Key<Bool>.flag("--version", help: "Show the version")
}
