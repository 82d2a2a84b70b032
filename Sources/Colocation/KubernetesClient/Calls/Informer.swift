// What there is and what changes, for ever: a list, then a watch, then whatever it takes to go on. It is
// level-triggered: after trouble it tells the difference to what it told before, so that who follows it
// has the state right, whatever was missed.

import Encoding

/// A change of the objects that are followed.
public enum Change<Object: KubernetesObject>: Sendable {
  case added(Object)
  case changed(from: Object, to: Object)
  /// With its last state, as far as it is known.
  case deleted(Object)
  /// All that there is was told: what is known now is what the server has. After an interruption: the server tells
  /// again, what was missed first.
  case synchronized
  /// What is known may be out of date until the next `synchronized`; it goes on by itself.
  case interrupted(KubernetesError)
  /// One object can't be understood; what was known of it is kept.
  case setAside(SetAside)
}

/// Objects of a kind, followed. Each `for await` over it begins anew.
public struct Informer<Object: KubernetesObject>: AsyncSequence, Sendable {
  public typealias Element = Change<Object>

  let client: KubernetesClient
  let selection: Selection

  public func makeAsyncIterator() -> Iterator { Iterator(client, selection) }

  public struct Iterator: AsyncIteratorProtocol {
    private enum Phase {
      case listing
      case opening
      case watching(Watch<Object>)
    }

    private let client: KubernetesClient
    private let selection: Selection
    private var phase = Phase.listing
    private var known: [String: Object] = [:]
    /// Told next, in this order.
    private var pending: [Change<Object>] = []
    private var told = 0
    /// Up to where all is known.
    private var version = ""
    /// Troubles since the last success.
    private var troubles = 0
    private var isWaiting = false
    /// An interruption was told, and not its end.
    private var isInterrupted = false

    init(_ client: KubernetesClient, _ selection: Selection) {
      (self.client, self.selection) = (client, selection)
    }

    /// The next change; nil when the task is cancelled.
    public mutating func next() async -> Change<Object>? {
      while !Task.isCancelled {
        if told < pending.count {
          defer { told += 1 }
          return pending[told]
        }
        if told > 0 { (pending, told) = ([], 0) }
        do {
          try await advance()
        } catch let error as KubernetesError {
          trouble(error)
        } catch {
          return nil
        }
      }
      return nil
    }

    private mutating func trouble(_ error: KubernetesError) {
      if error.isExpired {
        // Nothing is wrong: we were away for too long.
        phase = .listing
        isWaiting = troubles > 0
      } else {
        if case .watching = phase { phase = .opening }
        isWaiting = true
        isInterrupted = true
        pending.append(.interrupted(error))
      }
      troubles += 1
    }

    /// One step: a list, the beginning of a watch, or an event of it.
    private mutating func advance() async throws {
      if isWaiting {
        isWaiting = false
        try await KubernetesClient.sleep(client.settings.pause(before: troubles))
      }
      switch phase {
      case .listing:
        take(try await client.list(Object.self, selection))
        phase = .opening
      case .opening:
        phase = .watching(try await Watch(client, selection, from: version))
        if isInterrupted { pending.append(.synchronized) }
        isInterrupted = false
      case .watching(var watch):
        // It comes back with what it has read.
        phase = .opening
        if let event = try await watch.next() {
          phase = .watching(watch)
          try take(event)
        } else {
          // Servers end watches; one that ends them at once is in trouble.
          troubles += 1
          isWaiting = troubles > 1
        }
      }
    }

    /// Tells the difference between what was known and what there is.
    private mutating func take(_ list: ObjectList<Object>) {
      var now: [String: Object] = [:]
      now.reserveCapacity(list.items.count)
      for object in list.items { now[KubernetesClient.key(object.metadata)] = object }
      for aside in list.setAside {
        pending.append(.setAside(aside))
        if let before = known[aside.name] { now[aside.name] = before }
      }
      for (key, before) in known where now[key] == nil { pending.append(.deleted(before)) }
      for (key, object) in now { tell(object, before: known[key]) }
      known = now
      version = list.version
      troubles = 0
      isInterrupted = false
      pending.append(.synchronized)
    }

    private mutating func take(_ event: WatchEvent<Object>) throws {
      switch event {
      case .added(let object), .modified(let object):
        let key = KubernetesClient.key(object.metadata)
        tell(object, before: known[key])
        known[key] = object
        version = object.metadata.version
      case .deleted(let object):
        known[KubernetesClient.key(object.metadata)] = nil
        version = object.metadata.version
        pending.append(.deleted(object))
      case .bookmark(let version): self.version = version
      case .setAside(let aside): pending.append(.setAside(aside))
      case .error(let status):
        throw KubernetesError.refused("watch of \(Object.kinds[0].plural)", status)
      }
      troubles = 0
    }

    private mutating func tell(_ object: Object, before: Object?) {
      guard let before else { return pending.append(.added(object)) }
      if before.metadata.uid != object.metadata.uid {
        pending.append(.deleted(before))
        pending.append(.added(object))
      } else if before.metadata.version != object.metadata.version {
        pending.append(.changed(from: before, to: object))
      }
    }
  }
}

extension KubernetesClient {
  /// Follows all objects that are selected: first those that there are, then what changes.
  public func follow<Object: KubernetesObject>(
    _ type: Object.Type, _ selection: Selection = .all
  ) -> Informer<Object> {
    Informer(client: self, selection: selection)
  }
}
