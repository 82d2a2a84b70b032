// `kamelot --scenario FILE`: plans a scenario and prints the plan.

import CLinux
import ClusterModel
import CommandLine
import Glibc
import Kamelot
import Kao
import Scenarios

/// The command `kamelot`.
public enum KamelotCommand: Command {
  private static let scenario = Key<String?>.text(
    "-s", "--scenario", value: "FILE", help: "The scenario to plan; - for the standard input")
  private static let `repeat` = Key<Int?>.integer(
    "-r", "--repeat", value: "N", help: "Plan N times and tell how long each took (1 to 1000)")
  private static let explain = Key<Int?>.integer(
    "-e", "--explain", value: "JOB", help: "Tell also why this job does not start earlier")
  private static let last = Key<Int?>.integer(
    "-l", "--last", value: "N",
    help: "Plan the last N jobs in a pass of their own that builds on the one before")
  private static let plugin = Key<[String]>.texts(
    "-p", "--plugin", value: "KIND:NAME=PROGRAM",
    help: "Let a program find, assign, sort or do an extra pass (repeatable; Docs/Plugins.md)")

  public static let definition = CommandDefinition(
    "kamelot",
    "Plan a scenario, or a queue of a running OAR 2: which job starts when, on which resources",
    synopsis: ["--scenario=FILE [OPTIONS]", "[--unguarded] QUEUE [EPOCH [DATE]]"],
    options: [scenario, `repeat`, explain, last, plugin],
    details: [
      "A scenario is a JSON document with everything that a planning pass depends on: clock, "
        + "resources, settings, queues and jobs (Docs/Scenarios.md). Nothing else is read, unless by "
        + "plug-ins, and nothing is changed: the same scenario has the same plan everywhere.",
      "The plan goes to the standard output as JSON.",
      "With the name of a queue it is the scheduler of that queue, as OAR's metascheduler calls it "
        + "(Docs/OAR2.md): it reads oar.conf (OARCONFFILE names another one) and the database, and writes "
        + "places in the plan and messages of the queue's waiting jobs, all or nothing. EPOCH is the time of "
        + "the pass, now if it is missing. The pass is made in a process that is watched: however that "
        + "ends, the exit code is one with which OAR leaves the queue on. With --unguarded it is made in "
        + "the process that was called.",
    ],
    examples: [
      ("kamelot --scenario night.json", "plan a scenario"),
      ("kamelot --scenario night.json --explain 17", "say also what job 17 waits for"),
      ("kamelot --scenario night.json --last 1", "tell how long one job more takes"),
      (
        "kamelot --scenario night.json --plugin find:contiguous=Examples/plugins/contiguous.py",
        "let a program choose the resources of jobs with the type find=contiguous"
      ),
    ],
    exitCodes: [
      (
        0,
        "the scenario was planned; jobs that can't be are among those that wait. Of a queue: always, what "
          + "went wrong is on the standard error"
      ),
      (
        1,
        "the scenario can't be read, or its last jobs can't be planned alone; QUEUE or EPOCH make no sense"
      ),
      (64, "the options are wrong"),
    ])

  private static let repetitions = 1...1000

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let error = error as? UsageError else { return nil }
    var failure = CommandFailure(64)
    failure.lines = error.messages + ["Try 'kamelot --help' for its options."]
    return failure
  }

  public static func run(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> Int32 {
    let count = arguments[`repeat`] ?? 1
    guard let path = arguments[scenario] else {
      throw UsageError(["A scenario is needed: --scenario=FILE"])
    }
    guard arguments.operands.isEmpty else {
      throw UsageError(["It takes options only, not \"\(shortened(arguments.operands[0]))\""])
    }
    guard repetitions.contains(count) else {
      throw UsageError(["--repeat must be from 1 to \(repetitions.upperBound), not \(count)"])
    }
    // What one pass frees, the next one needs: to give it back between them costs a fifth of a pass.
    if count > 1 { clinux_keep_memory() }
    let (plugins, problem) = PluginOptions.plugins(arguments[plugin])
    if let problem { throw UsageError([problem]) }
    let (scenario, loading) = try load(path, in: context)
    if let job = arguments[explain], !scenario.isWaiting(job) {
      throw CommandFailure(1, "[ERROR] --explain: no job \(job) waits in this scenario.")
    }
    if let number = arguments[last] {
      guard arguments[explain] == nil, arguments[plugin].isEmpty else {
        throw UsageError(["--last can't be used with --explain or --plugin"])
      }
      let (plan, timing) = try planLast(number, of: scenario, count, loading: loading)
      context.output.pass(scenario.document(of: plan, timing: timing))
      return 0
    }
    let (plan, timing, explanation) = plan(
      scenario, plugins, count, loading: loading, explaining: arguments[explain])
    for problem in plan.pluginProblems { context.errors.line("[WARNING] \(problem)") }
    context.output.pass(
      scenario.document(of: plan, timing: timing, explaining: arguments[explain], explanation))
    return 0
  }

  /// Plans a scenario so many times, each time from the scenario alone, and explains a job as often.
  private static func plan(
    _ scenario: Scenario, _ plugins: PlannerPlugins, _ count: Int, loading: Int,
    explaining job: JobID?
  ) -> (Plan, PlanTiming, Kao.Explanation?) {
    var plan = Plan()
    var explanation: Kao.Explanation?
    var timing = PlanTiming(loading: loading)
    for _ in 0..<count {
      // The plan before is thrown away outside of what is measured.
      plan = Plan()
      let start = microseconds()
      let snapshot = scenario.snapshot()
      plan = Kao.plan(snapshot, plugins: plugins)
      timing.planning.append(microseconds() - start)
      guard let job else { continue }
      let asked = microseconds()
      explanation = Kao.explain(job, in: snapshot, plan: plan, plugins: plugins)
      timing.explaining.append(microseconds() - asked)
    }
    return (plan, timing, explanation)
  }

  /// Plans a scenario without its last jobs, and then these, so many times.
  private static func planLast(
    _ number: Int, of scenario: Scenario, _ count: Int, loading: Int
  ) throws -> (Plan, PlanTiming) {
    guard number >= 1, number <= scenario.waiting.count else {
      throw UsageError([
        "--last must be from 1 to the \(scenario.waiting.count) jobs that wait, not \(number)"
      ])
    }
    let last = Array(scenario.waiting.suffix(number))
    var plan = Plan()
    var timing = PlanTiming(loading: loading)
    for _ in 0..<count {
      plan = Plan()
      var snapshot = scenario.snapshot()
      snapshot.waiting.removeLast(number)
      let start = microseconds()
      var standing = StandingPlan(snapshot)
      let middle = microseconds()
      guard let added = standing.add(last, at: scenario.now) else {
        throw CommandFailure(
          1, "[ERROR] --last: who comes before these jobs must be planned again with them.")
      }
      timing.joining.append(microseconds() - middle)
      timing.planning.append(middle - start)
      plan = standing.plan
      plan.join(added)
    }
    return (plan, timing)
  }

  /// The scenario, and how many microseconds it took to read it.
  private static func load(
    _ path: String, in context: CommandContext
  ) throws -> (Scenario, Int) {
    let start = microseconds()
    do {
      let bytes =
        path == "-"
        ? try readBytes(descriptor: context.input, name: "the standard input", limit: sizeLimit)
        : try readBytes(path: path, limit: sizeLimit)
      return (try Scenario(parsing: bytes), microseconds() - start)
    } catch let error as ScenarioError {
      throw CommandFailure(1, "[ERROR] \(shortened(path)): \(error).")
    }
  }

  /// The greatest size of a scenario in bytes: about five million jobs.
  private static let sizeLimit = 1 << 30

  /// A clock that nobody sets.
  private static func microseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
  }
}
