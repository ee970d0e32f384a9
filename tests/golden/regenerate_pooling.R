# What metafor says of published data sets: effect sizes (effects.json) and pooled results (pooling.json).
# Rscript tests/golden/regenerate_pooling.R [folder]     Debian: r-cran-metafor r-cran-metadat r-cran-jsonlite
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
options(warn = 1)
folder <- commandArgs(trailingOnly = TRUE)
folder <- if (length(folder)) folder[1] else "tests/golden"
made_by <- list(R = R.version.string, metafor = as.character(packageVersion("metafor")),
                metadat = as.character(packageVersion("metadat")))
methods <- c("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
tests <- c("z", "t", "knha")
tight <- list(maxiter = 5000, tol = 1e-15, tau2.max = 1e6)
num <- function(x) signif(as.numeric(x), 17)
write_out <- function(x, name) writeLines(toJSON(x, digits = NA, auto_unbox = TRUE, na = "null", null = "null"),
                                          file.path(folder, name))
quiet <- function(expr) suppressWarnings(suppressMessages(expr))

fit <- function(yi, vi, method, test) {
  tight$threshold <- 1e-12 * min(1, mean(vi))
  for (step in c(1, 0.5, 0.1)) {
    res <- try(quiet(rma(yi, vi, method = method, test = test, control = c(tight, stepadj = step))), silent = TRUE)
    if (!inherits(res, "try-error")) return(res)
  }
  NULL
}

# one data set: every method by every test; [estimate, se, ci, p, prediction]
pooled <- function(name, call, yi, vi, measure, methods_ = methods, tests_ = c(tests)) {
  keep <- !is.na(yi) & !is.na(vi) & vi > 0
  yi <- as.numeric(yi[keep]); vi <- as.numeric(vi[keep])
  fits <- list(); base <- NULL
  for (m in methods_) {
    out <- list()
    for (t in tests_) {
      res <- fit(yi, vi, m, t)
      if (is.null(res)) { out[[t]] <- NULL; next }
      pr <- quiet(predict(res))
      pi <- if (is.null(pr$pi.lb) || m == "EE") c(NA, NA) else c(pr$pi.lb, pr$pi.ub)
      out[["tau2"]] <- if (m == "EE") NULL else num(res$tau2)
      out[["i2"]] <- num(res$I2); out[["h2"]] <- num(res$H2)
      out[[t]] <- num(c(res$beta, res$se, res$ci.lb, res$ci.ub, res$pval, pi))
      base <- res
    }
    fits[[m]] <- out
  }
  tau2_ci <- NULL
  if (length(yi) > 1) {
    ci <- quiet(try(confint(fit(yi, vi, "DL", "z"), control = list(tol = 1e-15, maxiter = 100000, tau2.max = 1e6)),
                    silent = TRUE))
    if (!inherits(ci, "try-error")) tau2_ci <- list(ci = num(ci$random[1, 2:3]), empty = ci$ci.null)
  }
  w <- fit(yi, vi, if ("REML" %in% methods_) "REML" else "DL", "z")
  list(name = name, call = call, measure = measure, yi = num(yi), vi = num(vi),
       q = num(c(base$QE, base$QEp)), tau2_ci = tau2_ci, weights = num(weights(w)), fits = fits)
}

get <- function(name) eval(parse(text = paste0("metadat::", name)))
sets <- list(
  list("dat.bcg", "RR", 'escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=d)'),
  list("dat.bcg", "OR", 'escalc(measure="OR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=d)'),
  list("dat.bcg", "RD", 'escalc(measure="RD", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=d)'),
  list("dat.yusuf1985", "PETO", 'escalc(measure="PETO", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=d)'),
  list("dat.hine1989", "RD", 'escalc(measure="RD", n1i=n1i, n2i=n2i, ai=ai, ci=ci, data=d)'),
  list("dat.collins1985a", "OR", 'escalc(measure="OR", n1i=nti, n2i=nci, ai=b.xti, ci=b.xci, data=d)'),
  list("dat.collins1985b", "OR", 'escalc(measure="OR", n1i=pre.nti, n2i=pre.nci, ai=pre.xti, ci=pre.xci, data=d)'),
  list("dat.egger2001", "OR", 'escalc(measure="OR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=d)'),
  list("dat.linde2005", "RR", 'escalc(measure="RR", ai=ai, ci=ci, n1i=n1i, n2i=n2i, data=d)'),
  list("dat.damico2009", "OR", 'escalc(measure="OR", ai=xt, n1i=nt, ci=xc, n2i=nc, data=d)'),
  list("dat.nielweise2007", "RR", 'escalc(measure="RR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=d)'),
  list("dat.nielweise2008", "IRR", 'escalc(measure="IRR", x1i=x1i, t1i=t1i, x2i=x2i, t2i=t2i, data=d)'),
  list("dat.hart1999", "IRR", 'escalc(measure="IRR", x1i=x1i, x2i=x2i, t1i=t1i, t2i=t2i, data=d)'),
  list("dat.pritz1997", "PFT", 'escalc(measure="PFT", xi=xi, ni=ni, data=d)'),
  list("dat.pritz1997", "PLO", 'escalc(measure="PLO", xi=xi, ni=ni, data=d)'),
  list("dat.debruin2009", "PAS", 'escalc(measure="PAS", xi=xi, ni=ni, data=d)'),
  list("dat.normand1999", "MD", 'escalc(measure="MD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=d)'),
  list("dat.normand1999", "SMD", 'escalc(measure="SMD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=d)'),
  list("dat.curtis1998", "ROM", 'escalc(measure="ROM", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=d)'),
  list("dat.gibson2002", "SMD", 'escalc(measure="SMD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=d)'),
  list("dat.molloy2014", "ZCOR", 'escalc(measure="ZCOR", ri=ri, ni=ni, data=d)'),
  list("dat.mcdaniel1994", "COR", 'escalc(measure="COR", ri=ri, ni=ni, data=d)'),
  list("dat.hackshaw1998", "GEN", 'd'),
  list("dat.raudenbush1985", "GEN", 'd'),
  list("dat.bangertdrowns2004", "GEN", 'd'),
  list("dat.hasselblad1998", "PLO", 'escalc(measure="PLO", xi=xi, ni=ni, data=d)'),
  list("dat.senn2013", "MN", 'escalc(measure="MN", mi=mi, sdi=sdi, ni=ni, data=d)'),
  list("dat.viechtbauer2021", "OR", 'escalc(measure="OR", ai=xTi, n1i=nTi, ci=xCi, n2i=nCi, data=d)'),
  list("dat.axfors2021", "OR", 'escalc(measure="OR", ai=hcq_arm_event, n1i=hcq_arm_total, ci=control_arm_event, n2i=control_arm_total, data=d)'),
  list("dat.begg1989", "GEN", 'd'),
  list("dat.baskerville2012", "GEN", 'data.frame(yi=d$smd, vi=d$se^2)'),
  list("dat.crede2010", "ZCOR", 'escalc(measure="ZCOR", ri=ri, ni=ni, data=d[d$criterion == "grade", ])'),
  list("dat.li2007", "OR", 'escalc(measure="OR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=d)')
)


# The paper, as the help page of the data set names it.
papers <- tools::Rd_db("metadat")
paper <- function(name) {
  page <- papers[[paste0(name, ".Rd")]]
  part <- Filter(function(x) identical(attr(x, "Rd_tag"), "\\source"), page)
  trimws(gsub("\\s+", " ", gsub("\\\\(emph|url|doi|verb)\\{([^}]*)\\}", "\\2", paste(unlist(part), collapse = ""))))
}

results <- list()
for (s in sets) {
  d <- eval(parse(text = paste0("metadat::", s[[1]])))
  e <- quiet(eval(parse(text = s[[3]])))
  results[[length(results) + 1]] <- pooled(s[[1]], s[[3]], e$yi, e$vi, s[[2]])
  results[[length(results)]]$paper <- paper(s[[1]])
}

# Constructed cases at the edges, with the fourth test.
edge <- function(name, yi, vi) pooled(name, "constructed", yi, vi, "GEN", tests_ = c(tests, "adhoc"))
edges <- list(
  edge("k = 1", 0.4, 0.04),
  edge("k = 2", c(0.1, 0.9), c(0.04, 0.09)),
  edge("k = 3", c(0.1, 0.9, 0.35), c(0.04, 0.09, 0.02)),
  edge("k = 2, one variance", c(-1, 2), c(0.25, 0.25)),
  edge("no heterogeneity", c(0.21, 0.19, 0.2, 0.23, 0.18), c(0.04, 0.05, 0.03, 0.08, 0.06)),
  edge("equal variances", c(0.1, 0.9, 0.35, -0.4, 1.2, 0.6), rep(0.05, 6)),
  edge("huge heterogeneity", c(-100, 250, 3, 900, -420, 77, 12), c(0.01, 0.02, 0.015, 0.01, 0.03, 0.02, 0.05)),
  edge("one study weighs nearly all", c(0.5, 0.1, 1.9, -0.6), c(1e-06, 0.3, 0.5, 0.2)),
  edge("far from zero", 1e6 + c(0.1, 0.9, 0.35, -0.4), c(0.04, 0.09, 0.02, 0.03)),
  edge("small scale", 1e-4 * c(0.1, 0.9, 0.35, -0.4), 1e-8 * c(0.04, 0.09, 0.02, 0.03)),
  edge("restricted likelihood with two maxima", c(0, 0.05, -0.05, 0.02, 3, -3), c(0.001, 0.001, 0.001, 0.001, 9, 9)),
  edge("hedges above zero, likelihood at zero", c(0.1, 0.12, 0.09, 2.5), c(0.01, 0.012, 0.009, 2.2)))

# Counts: Mantel-Haenszel and Peto; [estimate, se, ci, p], [q, p], i2, h2.
counted <- function(name, call, columns, measure, method) {
  res <- quiet(eval(parse(text = call), envir = list(d = columns)))
  list(name = name, call = call, measure = measure, method = method, columns = as.list(columns),
       fit = num(c(res$beta, res$se, res$ci.lb, res$ci.ub, res$pval)), q = num(c(res$QE, res$QEp)),
       q_df = res$k.yi - 1, i2 = num(res$I2), h2 = num(res$H2), k = res$k,
       weights = num(quiet(weights(res))))
}
tables <- list(
  dat.bcg = with(dat.bcg, data.frame(ai = tpos, bi = tneg, ci = cpos, di = cneg)),
  dat.collins1985a = with(dat.collins1985a, data.frame(ai = b.xti, bi = nti - b.xti, ci = b.xci, di = nci - b.xci)),
  dat.hine1989 = with(dat.hine1989, data.frame(ai = ai, bi = n1i - ai, ci = ci, di = n2i - ci)),
  dat.nielweise2007 = with(dat.nielweise2007, data.frame(ai = ai, bi = n1i - ai, ci = ci, di = n2i - ci)))
tables$dat.collins1985a <- tables$dat.collins1985a[complete.cases(tables$dat.collins1985a), ]
tables[["double zeros (constructed)"]] <- data.frame(ai = c(0, 3, 0, 10, 5), bi = c(20, 17, 30, 0, 15),
                                                     ci = c(0, 5, 2, 12, 1), di = c(22, 15, 28, 0, 19))
rates <- list(dat.hart1999 = dat.hart1999[, c("x1i", "x2i", "t1i", "t2i")],
              dat.nielweise2008 = dat.nielweise2008[, c("x1i", "x2i", "t1i", "t2i")])
sums <- list()
for (name in names(tables)) {
  for (m in c("OR", "RR", "RD")) sums[[length(sums) + 1]] <- counted(
    name, sprintf('rma.mh(measure="%s", ai=ai, bi=bi, ci=ci, di=di, data=d)', m), tables[[name]], m, "MH")
  sums[[length(sums) + 1]] <- counted(name, "rma.peto(ai=ai, bi=bi, ci=ci, di=di, data=d)", tables[[name]], "PETO", "Peto")
}
for (name in names(rates)) for (m in c("IRR", "IRD")) sums[[length(sums) + 1]] <- counted(
  name, sprintf('rma.mh(measure="%s", x1i=x1i, x2i=x2i, t1i=t1i, t2i=t2i, data=d)', m), rates[[name]], m, "MH")

write_out(list(made_by = made_by, control = "threshold 1e-12 x min(1, mean vi), tol 1e-15, maxiter 5000, tau2.max 1e6, stepadj 1, 0.5 or 0.1",
               fields = "estimate se ci_low ci_high p prediction_low prediction_high",
               sets = results, edges = edges, sums = sums), "pooling.json")

# Effect sizes: every measure, its variances, and the corrections of zero cells.
effects <- list()
effect <- function(source, columns, measure, ...) {
  options <- list(...)
  columns <- columns[seq_len(min(15, nrow(columns))), , drop = FALSE]
  e <- quiet(do.call(escalc, c(list(measure = measure, data = columns), options, lapply(setNames(names(columns), names(columns)), as.name))))
  effects[[length(effects) + 1]] <<- list(source = source, measure = measure, options = options,
                                          columns = as.list(columns), yi = num(e$yi), vi = num(e$vi))
}
zeros <- tables[["double zeros (constructed)"]]
for (m in c("RR", "OR", "RD", "PETO", "AS")) {
  effect("dat.bcg", tables$dat.bcg, m)
  effect("dat.nielweise2007", tables$dat.nielweise2007, m)
  for (to in c("only0", "all", "if0all", "none")) for (drop in c(TRUE, FALSE))
    effect("constructed", zeros, m, add = 0.25, to = to, drop00 = drop)
}
effect("dat.bcg", tables$dat.bcg, "RD", vtype = "UB")
one <- with(dat.pritz1997, data.frame(xi = xi, ni = ni)); ends <- data.frame(xi = c(0, 5, 12, 3), ni = c(10, 5, 20, 9))
for (m in c("PR", "PLO", "PLN", "PAS", "PFT")) {
  effect("dat.pritz1997", one, m); effect("constructed", ends, m)
  for (to in c("all", "if0all", "none")) effect("constructed", ends, m, add = 0.1, to = to)
}
effect("dat.pritz1997", one, "PR", vtype = "UB")
two <- dat.normand1999[, c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
small <- data.frame(m1i = c(3, 7.5), sd1i = c(1, 2.5), n1i = c(2, 2), m2i = c(2, 9), sd2i = c(1.5, 3), n2i = c(2, 3))
for (m in c("MD", "SMD", "SMDH", "ROM")) { effect("dat.normand1999", two, m); effect("constructed, arms of two", small, m) }
for (v in c("LS2", "UB")) { effect("dat.normand1999", two, "SMD", vtype = v); effect("constructed, arms of two", small, "SMD", vtype = v) }
for (m in c("MD", "ROM")) effect("dat.normand1999", two, m, vtype = "HO")
effect("dat.curtis1998", dat.curtis1998[, c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")], "ROM")
effect("dat.senn2013", dat.senn2013[, c("mi", "sdi", "ni")], "MN")
paired <- data.frame(m1i = c(30.6, 23.5, 5.4), m2i = c(38.5, 26.8, 4.8), sd1i = c(15, 3.1, 1.2), sd2i = c(11.6, 4.1, 1.9),
                     ri = c(0.47, 0.64, -0.2), ni = c(20, 50, 9))
for (m in c("MC", "SMCC", "SMCR")) effect("constructed, paired", paired, m)
for (m in c("SMCC", "SMCR")) effect("constructed, paired", paired, m, vtype = "LS2")
person <- dat.nielweise2008[, c("x1i", "x2i", "t1i", "t2i")]; none <- data.frame(x1i = c(0, 4, 0), x2i = c(3, 6, 0), t1i = c(10, 20.5, 30), t2i = c(11, 19, 31))
for (m in c("IRR", "IRD")) {
  effect("dat.hart1999", rates$dat.hart1999, m); effect("dat.nielweise2008", person, m)
  for (to in c("only0", "all", "if0all", "none")) effect("constructed", none, m, add = 0.3, to = to, drop00 = TRUE)
}
r <- data.frame(ri = c(0.5, -0.3, 0, 0.93, 0.2), ni = c(20, 11, 5, 100, 3))
for (m in c("COR", "ZCOR")) { effect("dat.molloy2014", dat.molloy2014[, c("ri", "ni")], m); effect("constructed", r, m) }
write_out(list(made_by = made_by, cases = effects), "effects.json")
cat(length(results), "sets,", length(edges), "edges,", length(sums), "sums,", length(effects), "effect cases\n")
