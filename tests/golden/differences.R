# Prints, as JSON, what metafor does where mesoevidence does something else on purpose (the table in README.md).
# Rscript tests/golden/differences.R     Debian: r-cran-metafor r-cran-jsonlite
suppressMessages({library(metafor); library(jsonlite)})
quiet <- function(expr) suppressWarnings(expr)
said <- function(expr) tryCatch({expr; "nothing"}, warning = conditionMessage, error = function(e) paste("error:", conditionMessage(e)))
one <- quiet(rma(0.4, 0.04, test = "knha"))
few <- list(y = c(0.1, 0.9, 0.35, -0.4), v = c(0.04, 0.09, 0.02, 0.03))
same <- quiet(rma(rep(0.3, 5), c(0.04, 0.05, 0.06, 0.04, 0.05), test = "knha"))
near <- quiet(rma(0.3 + c(0, 1e-9, 2e-9), c(0.04, 0.05, 0.06), test = "knha"))
empty <- quiet(confint(rma(rep(0.3, 5), c(0.04, 0.05, 0.06, 0.04, 0.05), method = "DL")))
wide <- quiet(confint(rma(c(-20, 20, 3), c(1, 1, 1), method = "DL")))
hard <- list(y = c(0.82, -0.24, 0.94, -0.08, -0.28, 0.5), v = c(0.01, 0.386, 1.895, 2.42, 0.965, 1.634))
smdh <- function(by) escalc(measure = "SMDH", vtype = "LS2", m1i = 5 * by, sd1i = 2 * by, n1i = 10, m2i = 4 * by, sd2i = 3 * by, n2i = 12)$vi
filled <- trimfill(rma(yi, vi, data = escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg), test = "knha"), side = "right")
cat(toJSON(list(
  "one study" = list(tau2 = one$tau2, q = one$QE, p = one$QEp, i2 = one$I2, h2 = one$H2, z = (one$ci.ub - one$ci.lb) / one$se / 2),
  "no tau2" = c(rma(few$y, few$v, method = "EE")$tau2, rma.mh(ai = c(4, 5), bi = c(8, 9), ci = c(3, 7), di = c(9, 8))$tau2),
  "prediction from two" = predict(rma(c(0.1, 0.9), c(0.04, 0.09)))$pi.lb,
  "identical effects" = c(same$se, same$ci.ub - same$ci.lb, same$pval),
  "small residuals" = near$se,
  "empty interval" = list(ci = unname(empty$random[1, 2:3]), empty = empty$ci.null),
  "upper end" = unname(wide$random[1, 3]),
  "REML" = said(rma(hard$y, hard$v)),
  "REML stops" = rma(few$y, few$v)$tau2,
  "PM stops" = rma(few$y, few$v, method = "PM")$tau2,
  "PM ceiling" = said(rma(c(0, 0.1, 0, 0.2, 0.1, 60), rep(0.1, 6), method = "PM")),
  "EE with knha" = said(rma(few$y, few$v, method = "EE", test = "knha")),
  "COR of three" = quiet(unlist(escalc(measure = "COR", ri = 0.2, ni = 3))),
  "impossible row" = said(escalc(measure = "RR", ai = c(11, 2), n1i = c(10, 10), ci = c(1, 2), n2i = c(10, 10))),
  "negative SD" = said(escalc(measure = "MD", m1i = 1, sd1i = -1, n1i = 10, m2i = 2, sd2i = 1, n2i = 10)),
  "zero variance" = said(rma(c(0.1, 0.2, 0.3), c(0, 0.1, 0.2))),
  "negative variance" = said(rma(c(0.1, 0.2, 0.3), c(-0.1, 0.1, 0.2))),
  "infinite effect" = said(rma(c(0.1, Inf, 0.3), c(0.1, 0.1, 0.2))),
  "far from zero" = lapply(c(0, 1e6), function(s) unname(confint(rma(s + few$y, few$v, method = "DL"))$random[1, 2:3])),
  "huge numbers" = unname(c(rma(c(1e60, 2e60, 3e60), rep(1e110, 3), method = "EE")$beta)),
  "SMDH units" = c(smdh(1), smdh(10)),
  "revman" = said(escalc(measure = "SMD", vtype = "revman", m1i = 5, sd1i = 2, n1i = 10, m2i = 4, sd2i = 3, n2i = 12)),
  "rank test of equal effects" = said(stopifnot(!is.na(quiet(ranktest(rep(20.21, 5), c(0.1, 0.2, 0.3, 0.05, 0.07)))$tau))),
  "trim and fill" = filled$test),
  digits = NA, auto_unbox = TRUE, null = "null", na = "null"))
