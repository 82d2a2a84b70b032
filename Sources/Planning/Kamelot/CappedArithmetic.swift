// Sums and products of times and counts that stop at the greatest number instead of failing.

extension Int {
  /// The sum, or the greatest number if it is too large for one.
  public func addingCapped(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product of two numbers that are not negative, or the greatest number.
  func multipliedCapped(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
