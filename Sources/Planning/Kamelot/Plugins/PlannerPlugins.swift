// The seams of the planner: what a site may decide in its stead. Plug-ins are values that answer
// questions; whatever they answer is checked before it counts.

import ClusterModel

/// Why a plug-in gives no answer, as a sentence or part of one.
public struct PluginError: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// What a plug-in chose.
public enum PluginAnswer<Choice: Sendable>: Sendable {
  case chosen(Choice)
  /// It has nothing to offer, perhaps with half a sentence why, such as `no ten in a row`.
  case nothing(because: String?)
}

/// Chooses the resources of jobs of the type `find=NAME`. The planner chooses the start: it asks about
/// one start after another until there is an answer.
public protocol ResourceFinder: Sendable {
  /// Whether what it chooses must be just what the job asked for, in number and in blocks, as the
  /// planner would choose it. If not, any free resources that match the job's conditions will do.
  var keepsCounts: Bool { get }

  /// The places for one job at one start; nothing if it should be asked about a later start.
  func find(_ question: FindQuestion) throws(PluginError) -> PluginAnswer<ResourceSet>
}

/// Chooses both start and resources of jobs of the type `assign=NAME`.
public protocol JobAssigner: Sendable {
  /// As for a finder.
  var keepsCounts: Bool { get }

  /// The spot of one job; nothing if there is none in this pass.
  func assign(
    _ question: AssignQuestion, on view: inout PlanView
  ) throws(PluginError) -> PluginAnswer<PluginSpot>
}

/// Orders the jobs of the queues of one priority.
public protocol JobSorter: Sendable {
  /// The indices of all jobs of the question, each once, the one to be planned first in front.
  func sort(_ question: SortQuestion) throws(PluginError) -> [Int]
}

/// Is called before the jobs of the queues of one priority are planned, if there are any.
public protocol ExtraPass: Sendable {
  /// Jobs of the question that this pass is to leave out, by id, each with half a sentence why.
  func run(_ question: ExtraQuestion) throws(PluginError) -> [JobID: String]
}

extension ResourceFinder {
  public var keepsCounts: Bool { true }
}

extension JobAssigner {
  public var keepsCounts: Bool { true }
}

/// The plug-ins of a planning pass.
public struct PlannerPlugins: Sendable {
  /// An extra pass and its name in messages.
  public struct Extra: Sendable {
    public var name: String
    public var pass: any ExtraPass

    public init(_ name: String, _ pass: any ExtraPass) {
      self.name = name
      self.pass = pass
    }
  }

  public var finders: [String: any ResourceFinder] = [:]
  public var assigners: [String: any JobAssigner] = [:]
  /// `nil`: jobs keep the order that the planner gives them.
  public var sorter: (any JobSorter)?
  /// In the order in which they are called.
  public var extraPasses: [Extra] = []

  /// A planner that decides everything itself.
  public static let none = PlannerPlugins()

  /// A finder is asked at most so many times about one moldable of a job in one pass.
  public static let askLimit = 1000

  public init() {}

  /// Whether there is the plug-in that a job wants.
  public func has(_ call: PluginCall) -> Bool {
    switch call.role {
    case .find: finders[call.name] != nil
    case .assign: assigners[call.name] != nil
    }
  }
}
