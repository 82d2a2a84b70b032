// Whether a job could run at all, asked when it is submitted.

import ClusterModel

/// The planner of one queue: places jobs on a platform's timeline (see `Planner`).
public enum Kamelot {
  /// Whether the cluster can ever run a job.
  public enum Feasibility: Hashable, Sendable {
    /// It can, as its moldable of that index, which is the first that fits and would take so many
    /// resources (OAR's `R=`).
    case possible(moldable: Int, resources: Int)
    /// No set of the cluster's resources satisfies any moldable, with a sentence.
    case impossible(String)
    /// A moldable can't be understood, with a sentence.
    case malformed(String)
  }

  /// Whether any of `moldables` fits on the resources that are not Dead, if nothing else ran there.
  ///
  /// - Parameter properties: the condition of the whole job; empty if none.
  public static func canEverRun(
    moldables: [Moldable], properties: String, platform: Platform
  ) -> Feasibility {
    var refusal: Feasibility?
    for (index, moldable) in moldables.enumerated() {
      switch platform.resolve(moldable.groups, properties: properties, scope: .eventual) {
      case .possible(let request):
        let count = request.pick(from: platform.notDead)?.count ?? request.need
        return .possible(moldable: index, resources: count)
      case .impossible(let text):
        refusal = refusal ?? .impossible(text)
      case .malformed(let text):
        return .malformed(text)
      }
    }
    return refusal ?? .malformed("The request is empty.")
  }
}
