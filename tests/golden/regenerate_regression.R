# Writes regression.json, diagnostics.json and multilevel.json, with the versions that made them.
# Rscript tests/golden/regenerate_regression.R [folder]
# Debian: r-cran-metafor r-cran-metadat r-cran-jsonlite r-cran-clubsandwich

suppressWarnings(suppressMessages({library(metafor); library(metadat); library(clubSandwich); library(jsonlite)}))
options(na.action = "na.omit")
folder <- commandArgs(trailingOnly = TRUE)
folder <- if (length(folder)) folder[1] else "tests/golden"

METHODS <- c("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
TIGHT <- list(threshold = 1e-13, maxiter = 10000, tol = 1e-14)
versions <- sapply(c("metafor", "metadat", "clubSandwich"), function(p) as.character(packageVersion(p)))
made_by <- c(list(R = paste(R.version$major, R.version$minor, sep = ".")), as.list(versions))

sources <- list(
  bcg = "Colditz 1994, JAMA 271:698; metadat dat.bcg, log risk ratios",
  raudenbush = "Raudenbush 1984, J Educ Psychol 76:85; metadat dat.raudenbush1985",
  bangertdrowns = "Bangert-Drowns 2004, Rev Educ Res 74:29; metadat dat.bangertdrowns2004",
  viechtbauer = "Viechtbauer 2021; metadat dat.viechtbauer2021, log odds ratios",
  hackshaw = "Hackshaw 1997, BMJ 315:980; metadat dat.hackshaw1998",
  lehmann = "Lehmann 2018, Arch Sex Behav 47:1181; metadat dat.lehmann2018",
  pritz = "Zhou 1999, Stat Med 18:557; metadat dat.pritz1997, logit proportions",
  mcdaniel = "McDaniel 1994, J Appl Psychol 79:599; metadat dat.mcdaniel1994, Fisher z",
  konstantopoulos = "Konstantopoulos 2011, Res Synth Methods 2:61; metadat dat.konstantopoulos2011",
  assink = "Assink 2016, Quant Methods Psychol 12:154; metadat dat.assink2016",
  crede = "Crede 2010, Rev Educ Res 80:272; metadat dat.crede2010, Fisher z")

frames <- list(
  bcg = transform(escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
                  ni = tpos + tneg + cpos + cneg, decade = (year - 1960) / 10),
  raudenbush = transform(dat.raudenbush1985, ni = n1i + n2i),
  bangertdrowns = dat.bangertdrowns2004,
  viechtbauer = transform(escalc(measure = "OR", ai = xTi, n1i = nTi, ci = xCi, n2i = nCi, add = 1/2, to = "all",
                                 data = dat.viechtbauer2021), ni = nTi + nCi),
  hackshaw = dat.hackshaw1998,
  lehmann = dat.lehmann2018,
  pritz = escalc(measure = "PLO", xi = xi, ni = ni, data = dat.pritz1997),
  mcdaniel = escalc(measure = "ZCOR", ri = ri, ni = ni, data = dat.mcdaniel1994),
  konstantopoulos = dat.konstantopoulos2011,
  assink = dat.assink2016,
  crede = escalc(measure = "ZCOR", ri = ri, ni = ni, data = dat.crede2010))
frames$lehmann <- frames$lehmann[!is.na(frames$lehmann$vi), ]
frames$assink$cluster <- frames$assink$study
frames$konstantopoulos$cluster <- frames$konstantopoulos$district
frames$crede$cluster <- frames$crede$studyid
keep <- list(bcg = c("ablat", "year", "decade", "alloc", "ni"), raudenbush = c("weeks", "setting", "tester", "ni"),
             bangertdrowns = c("length", "wic", "feedback", "meta", "grade", "ni"), viechtbauer = c("dose", "ni"),
             hackshaw = c("country", "design", "year"), lehmann = c("PRPublication", "Gender"),
             pritz = c("ni"), mcdaniel = c("type", "struct", "ni"), konstantopoulos = c("cluster", "school", "year"),
             assink = c("cluster", "year", "deltype"), crede = c("cluster", "year"))
for (n in names(frames)) {
  frames[[n]] <- as.data.frame(frames[[n]])[, c("yi", "vi", keep[[n]])]
  frames[[n]]$yi <- as.numeric(frames[[n]]$yi)
  for (m in names(frames[[n]])) if (is.factor(frames[[n]][[m]])) frames[[n]][[m]] <- as.character(frames[[n]][[m]])
  if (!is.null(frames[[n]]$ni)) frames[[n]]$ni <- as.numeric(frames[[n]]$ni)
}
used <- function(names) list(made_by = made_by, sources = sources[names], data = lapply(frames[names], as.list))
num <- function(x) as.numeric(unname(c(x)))
put <- function(x, file) writeLines(toJSON(x, digits = NA, auto_unbox = TRUE, na = "null", null = "null"),
                                      file.path(folder, file))

coefs <- function(f) list(estimate = I(num(f$beta)), se = I(num(f$se)), statistic = I(num(f$zval)), p_value = I(num(f$pval)),
                          ci_low = I(num(f$ci.lb)), ci_high = I(num(f$ci.ub)))

# meta-regression ---------------------------------------------------------------------------------
regressions <- list(list("bcg", "ablat"), list("bcg", c("ablat", "year")), list("bcg", "alloc"),
                    list("bcg", c("ablat", "year", "alloc")), list("raudenbush", "weeks"),
                    list("raudenbush", c("weeks", "setting", "tester")), list("bangertdrowns", "length"),
                    list("bangertdrowns", c("length", "wic", "feedback", "meta")), list("viechtbauer", "dose"),
                    list("hackshaw", c("year", "design")), list("mcdaniel", c("struct")), list("lehmann", "Gender"))
fits <- list()
for (r in regressions) for (m in METHODS) for (t in (if (r[[1]] == "bcg") c("z", "t", "knha", "adhoc") else c("z", "knha"))) {
  f <- suppressWarnings(rma(yi, vi, mods = reformulate(r[[2]]), data = frames[[r[[1]]]], method = m, test = t, control = TIGHT))
  p <- suppressWarnings(predict(f))
  rows <- unique(c(1, 2, f$k))
  out <- c(list(data = r[[1]], moderators = I(r[[2]]), method = m, test = t, k = f$k), coefs(f),
           list(qm = f$QM, qm_p_value = f$QMp, qe = f$QE, qe_p_value = f$QEp, tau2 = f$tau2, i2 = f$I2, h2 = f$H2, r2 = f$R2))
  if (r[[1]] == "bcg") out$predict <- list(rows = rows - 1, estimate = num(p$pred[rows]), se = num(p$se[rows]),
    ci_low = num(p$ci.lb[rows]), ci_high = num(p$ci.ub[rows]),
    prediction_low = num((if (is.null(p$pi.lb)) p$ci.lb else p$pi.lb)[rows]),
    prediction_high = num((if (is.null(p$pi.ub)) p$ci.ub else p$pi.ub)[rows]))
  fits[[length(fits) + 1]] <- out
}

# subgroups: one tau2 for all and one for each
groups <- list()
for (g in list(list("bcg", "alloc"), list("raudenbush", "setting"), list("mcdaniel", "struct"))) for (m in c("DL", "REML")) {
  d <- frames[[g[[1]]]]; d$g <- d[[g[[2]]]]; d <- d[!is.na(d$g), ]
  words <- sort(unique(d$g))
  each <- lapply(words, function(w) rma(yi, vi, data = d[d$g == w, ], method = m, test = "knha", control = TIGHT))
  est <- sapply(each, function(f) num(f$beta)); se <- sapply(each, function(f) f$se)
  apart <- rma(est, sei = se, mods = ~ factor(words), method = "FE")
  one <- rma(yi, vi, mods = ~ factor(g), data = d, method = m, test = "z", control = TIGHT)
  means <- rma(yi, vi, mods = ~ 0 + factor(g), data = d, method = m, test = "z", control = TIGHT)
  groups[[length(groups) + 1]] <- list(data = g[[1]], by = g[[2]], method = m, estimate = est, se = se,
    tau2 = sapply(each, function(f) f$tau2), q = apart$QM, p_value = apart$QMp, common_q = one$QM, common_p_value = one$QMp,
    common_tau2 = one$tau2, common_estimate = num(means$beta), common_se = num(means$se))
}
put(c(used(c("bcg", "raudenbush", "bangertdrowns", "viechtbauer", "hackshaw", "mcdaniel", "lehmann")),
      list(fits = fits, subgroups = groups)), "regression.json")

# asymmetry and sensitivity -----------------------------------------------------------------------
egger <- list()
for (n in c("bcg", "raudenbush", "bangertdrowns", "viechtbauer", "hackshaw", "lehmann", "pritz")) {
  d <- frames[[n]]
  for (s in c("sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv")) {
    if (is.null(d$ni) && !s %in% c("sei", "vi")) next
    for (how in list(c("lm", "REML", "z"), c("rma", "REML", "z"), c("rma", "REML", "knha"), c("rma", "DL", "t"), c("rma", "EE", "z"))) {
      base <- suppressWarnings(rma(yi, vi, data = d, method = how[2], test = how[3], control = TIGHT))
      n_all <- d$ni
      r <- suppressWarnings(if (is.null(n_all)) regtest(base, model = how[1], predictor = s) else
        regtest(base, model = how[1], predictor = s, ni = n_all))
      egger[[length(egger) + 1]] <- list(data = n, model = how[1], predictor = s, method = how[2], test = how[3],
        statistic = num(r$zval), p_value = num(r$pval), limit = num(r$est), limit_ci = num(c(r$ci.lb, r$ci.ub)))
    }
  }
}
ranks <- lapply(c("bcg", "raudenbush", "bangertdrowns", "viechtbauer", "hackshaw", "lehmann", "pritz"), function(n) {
  r <- suppressWarnings(ranktest(frames[[n]]$yi, frames[[n]]$vi)); list(data = n, tau = num(r$tau), p_value = num(r$pval))})
trims <- list()
for (n in c("bcg", "raudenbush", "bangertdrowns", "viechtbauer", "hackshaw", "pritz")) for (m in c("EE", "DL", "REML"))
  for (e in c("L0", "R0")) for (s in c("auto", "left", "right")) {
    base <- suppressWarnings(rma(yi, vi, data = frames[[n]], method = m, test = "z", control = TIGHT))
    f <- try(suppressWarnings(trimfill(base, estimator = e, side = if (s == "auto") NULL else s, control = TIGHT)), silent = TRUE)
    if (inherits(f, "try-error")) next
    trims[[length(trims) + 1]] <- list(data = n, method = m, estimator = e, asked = s, side = f$side, missing = f$k0,
      missing_se = f$se.k0, p_value = f$p.k0, estimate = num(f$beta), se = f$se, ci = num(c(f$ci.lb, f$ci.ub)), tau2 = f$tau2,
      filled = I(num(tail(f$yi, f$k0))))
  }
loo <- list(); cum <- list(); infl <- list()
for (n in c("bcg", "raudenbush", "hackshaw", "pritz")) for (how in list(c("REML", "knha"), c("DL", "z"), c("EE", "z"), c("PM", "t"))) {
  base <- suppressWarnings(rma(yi, vi, data = frames[[n]], method = how[1], test = how[2], control = TIGHT))
  l <- suppressWarnings(leave1out(base)); c1 <- suppressWarnings(cumul(base))
  shape <- function(x) list(data = n, method = how[1], test = how[2], estimate = num(x$estimate), se = num(x$se), p_value = num(x$pval),
    ci_low = num(x$ci.lb), ci_high = num(x$ci.ub), q = num(x$Q), tau2 = if (is.null(x$tau2)) NULL else num(x$tau2), i2 = num(x$I2))
  loo[[length(loo) + 1]] <- shape(l); cum[[length(cum) + 1]] <- shape(c1)
}
for (s in list(list("bcg", NULL), list("bcg", c("ablat", "decade")), list("bcg", c("ablat")), list("raudenbush", NULL), list("raudenbush", "weeks"),
               list("pritz", NULL))) for (how in list(c("REML", "knha"), c("REML", "z"), c("DL", "z"), c("EE", "z"), c("PM", "adhoc"))) {
  mods <- if (is.null(s[[2]])) ~ 1 else reformulate(s[[2]])
  base <- suppressWarnings(rma(yi, vi, mods = mods, data = frames[[s[[1]]]], method = how[1], test = how[2], control = TIGHT))
  i <- suppressWarnings(influence(base))
  infl[[length(infl) + 1]] <- list(data = s[[1]], moderators = I(as.character(s[[2]])), method = how[1], test = how[2],
    rstudent = num(i$inf$rstudent), dffits = num(i$inf$dffits), cook = num(i$inf$cook.d), cov_ratio = num(i$inf$cov.r),
    tau2 = num(i$inf$tau2.del), q = num(i$inf$QE.del), hat = num(i$inf$hat), weight = num(i$inf$weight),
    dfbetas = unname(do.call(cbind, unclass(i$dfbs)[seq_len(base$p)])), influential = unname(i$is.infl))
}
put(c(used(c("bcg", "raudenbush", "bangertdrowns", "viechtbauer", "hackshaw", "lehmann", "pritz")),
      list(egger = egger, ranks = ranks, trims = trims, leave_one_out = loo, cumulative = cum, influence = infl)), "diagnostics.json")

# results within studies, and cluster-robust variance -----------------------------------------------
mv <- list(); robusts <- list()
# the tightest tolerance at which the optimiser still ends by itself
two_level <- function(d, mods, m, t) {
  for (tol in 10^-(15:8)) {
    f <- try(rma.mv(yi, vi, mods = mods, random = ~ 1 | cluster/row, data = d, method = m, test = t,
      control = list(optimizer = "nlminb", rel.tol = tol, x.tol = tol, iter.max = 10000, eval.max = 10000)), silent = TRUE)
    if (!inherits(f, "try-error")) return(f)
  }
  stop("no convergence")
}
for (s in list(list("konstantopoulos", NULL), list("konstantopoulos", "year"), list("assink", NULL), list("assink", c("year", "deltype")),
               list("crede", NULL), list("crede", "year"))) {
  d <- frames[[s[[1]]]]; d$row <- seq_len(nrow(d)); d <- d[complete.cases(d[, c("yi", "vi", s[[2]])]), ]
  mods <- if (is.null(s[[2]])) ~ 1 else reformulate(s[[2]])
  for (m in c("REML", "ML")) for (t in c("z", "t")) {
    f <- two_level(d, mods, m, t)
    mv[[length(mv) + 1]] <- c(list(data = s[[1]], moderators = I(as.character(s[[2]])), method = m, test = t), coefs(f),
      list(sigma2_between = f$sigma2[1], sigma2_within = f$sigma2[2], qe = f$QE, qe_p_value = f$QEp,
           qm = if (is.null(s[[2]])) NULL else f$QM, qm_p_value = if (is.null(s[[2]])) NULL else f$QMp, log_likelihood = num(logLik(f))))
    if (m == "REML" && t == "t") for (kind in c("CR0", "CR1p", "CR2")) {
      cr <- coef_test(f, vcov = kind, cluster = d$cluster, test = if (kind == "CR2") "Satterthwaite" else "naive-tp")
      robusts[[length(robusts) + 1]] <- list(data = s[[1]], moderators = I(as.character(s[[2]])), model = "two-level", kind = sub("CR1p", "CR1", kind),
        estimate = I(num(cr$beta)), se = I(num(cr$SE)), df = I(num(if (kind == "CR2") cr$df_Satt else cr$df_tp)),
        p_value = I(num(if (kind == "CR2") cr$p_Satt else cr$p_tp)))
    }
  }
}
for (s in list(list("konstantopoulos", NULL), list("konstantopoulos", "year"), list("assink", NULL), list("assink", c("year", "deltype")),
               list("crede", "year"), list("bcg", c("ablat", "alloc")))) for (m in c("REML", "DL")) {
  d <- frames[[s[[1]]]]; d <- d[complete.cases(d[, c("yi", "vi", s[[2]])]), ]
  if (is.null(d$cluster)) d$cluster <- seq_len(nrow(d))
  mods <- if (is.null(s[[2]])) ~ 1 else reformulate(s[[2]])
  f <- rma(yi, vi, mods = mods, data = d, method = m, test = "z", control = TIGHT)
  for (kind in c("CR0", "CR1", "CR2")) {
    r <- if (kind == "CR2") robust(f, cluster = d$cluster, clubSandwich = TRUE) else robust(f, cluster = d$cluster, adjust = kind == "CR1")
    robusts[[length(robusts) + 1]] <- list(data = s[[1]], moderators = I(as.character(s[[2]])), model = "one-level", method = m, kind = kind,
      estimate = I(num(r$beta)), se = I(num(r$se)), df = I(rep_len(num(r$dfs), f$p)), p_value = I(num(r$pval)),
      ci_low = I(num(r$ci.lb)), ci_high = I(num(r$ci.ub)), qm = if (kind == "CR2" || f$int.only) NULL else r$QM,
      qm_p_value = if (kind == "CR2" || f$int.only) NULL else r$QMp)
  }
}
put(c(used(c("konstantopoulos", "assink", "crede", "bcg")), list(fits = mv, robust = robusts)), "multilevel.json")
